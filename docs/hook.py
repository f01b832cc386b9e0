"""Hook of MkDocs: the site has the repository's own paths, so that the links of its Markdown lead there too."""

import re
from pathlib import Path
from posixpath import dirname, join, normpath

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:)([^)#\s]+)(#[^)\s]*)?\)")
FENCED = re.compile(r"(^```.*?^```)", re.M | re.S)


def on_files(files, config):
    """README.md, CONTRIBUTING.md, the pages of docs/, and each file that one of them links to; the theme's stay."""
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
    left = ["README.md", "CONTRIBUTING.md", *(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md"))]
    while left:
        path = left.pop()
        if files.get_file_from_path(path) is None:
            files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
            left += linked(path) if path.endswith(".md") else []
    return files


def linked(page):
    """The files that a page links to, as paths from the root."""
    found = (target(page, link[3]) for link in LINK.finditer((ROOT / page).read_text(encoding="utf-8")))
    return [path for path in found if (ROOT / path).is_file()]


def target(page, link):
    """The path from the root of what a page links to."""
    return normpath(join(dirname(page), link))


def on_page_markdown(markdown, page, **_):
    """Links to folders become their text: a site has no page for a folder."""

    def replaced(link):
        folder = (ROOT / target(page.file.src_uri, link[3])).is_dir()
        return f"`{link[2]}`" if folder else link[0]

    parts = FENCED.split(markdown)
    return "".join(part if part.startswith("```") else LINK.sub(replaced, part) for part in parts)
