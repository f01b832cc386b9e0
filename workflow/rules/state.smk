# Snakemake knows what an output was made from, not whether it is still what was made: dvc checkout, git checkout and
# people replace files. What is no longer as its job left it, or came from elsewhere, counts as incomplete.
from filelock import FileLock, Timeout
from snakemake.io import IOFile
from snakemake.persistence.file import FilePersistence

LOCK = FileLock(".snakemake/running.lock")  # freed with its process, however that ends
HASHES = ".snakemake/outputs.json"  # of outputs when a run ended: made at, SHA-256


def outputs():
    """The files there that some job makes."""
    for root in ("data", "results", "paper_figures"):
        for folder, _, names in os.walk(root):
            for path in (os.path.join(folder, name) for name in names):
                if any(maker.is_producer(path) for maker in workflow.rules):
                    yield path


def made_at(persistence, path):
    """When a job made a file, as Snakemake recorded it; None for what no job made here."""
    record = persistence.metadata(IOFile(path))
    return record.endtime if record else None


def mark_foreign_outputs():
    """Tell Snakemake which outputs are not what a job left here."""
    persistence, known, foreign = FilePersistence(), remembered(HASHES), []
    for path in outputs():
        made = made_at(persistence, path)
        untouched = made is not None and os.stat(path).st_mtime == made
        if not untouched and [made, sha256(Path(path))] != known.get(path):
            foreign.append(path)
    marked = known.get("foreign", [])
    for path in set(marked) - set(foreign):
        persistence._unmark_incomplete(path)
    for path in foreign:
        persistence._mark_incomplete(path, None)
    if foreign or marked:
        write_json(Path(HASHES), known | {"foreign": foreign})
    if foreign and not workflow.touch:
        print(
            f"{len(foreign)} files are not what was made here, {foreign[0]} among them, and are made again where needed;"
            " if DVC put them there, `make adopt` takes them as they are",
            file=sys.stderr,
        )


def remember_outputs():
    """The end of a run: what its outputs are, so that they are known again though DVC renews their times."""
    persistence, known, now = FilePersistence(), remembered(HASHES), {}
    for path in outputs():
        made = made_at(persistence, path)
        if path in known and known[path][0] == made:
            now[path] = known[path]
        elif made is not None and os.stat(path).st_mtime == made:
            now[path] = [made, sha256(Path(path))]
    write_json(Path(HASHES), now)


def take_the_folder():
    """One Snakemake at a time. In place of its own lock, which a killed one would leave behind."""
    try:
        LOCK.acquire(timeout=0)
    except Timeout:
        stop("another snakemake is at work in this folder; wait until it has ended")


if workflow.is_main_process:
    mark_foreign_outputs()
