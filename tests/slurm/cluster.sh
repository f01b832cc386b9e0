#!/bin/bash
# A Slurm of one node on this machine, from Debian's packages, with no accounting database. Run it as root.
#   tests/slurm/cluster.sh start FOLDER
#   tests/slurm/cluster.sh stop FOLDER
# Everything lies in FOLDER but the link /etc/slurm/slurm.conf: the plugin starts srun without the variable SLURM_CONF.
# Containers often have no cgroups: processes are found by /proc, and memory is counted but not enforced.
set -euo pipefail

folder=$(realpath -m "${2:?cluster.sh start|stop FOLDER}")
link=/etc/slurm/slurm.conf
pids=("$folder/slurmd.pid" "$folder/slurmctld.pid" "$folder/munged.pid")

configure() {
    if [ -e "$link" ]; then
        echo "$link exists: this machine has a Slurm of its own" >&2
        exit 1
    fi
    mkdir -p "$folder/state" "$folder/spool"
    chmod 755 "$folder"
    dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 status=none
    chmod 400 "$folder/munge.key"
    cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=36817
SlurmdPort=36818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=10
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
ReturnToService=1
KillWait=20
SchedulerParameters=bf_interval=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=node NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$(nproc --all) RealMemory=$(free -m | awk '/Mem/ {print $2}')
PartitionName=batch Nodes=node Default=YES PriorityTier=1
PartitionName=urgent Nodes=node PriorityTier=10
CONF
    ln -sf "$folder/slurm.conf" "$link"
}

start() {
    configure
    munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
        --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" --seed-file="$folder/munged.seed"
    slurmctld -c
    slurmd -N node
    for _ in $(seq 60); do
        [ "$(sinfo --noheader --partition batch --format %T)" = idle ] && return
        sleep 0.5
    done
    tail "$folder"/*.log >&2
    exit 1
}

stop() {
    for file in "${pids[@]}"; do
        [ -f "$file" ] && kill "$(cat "$file")" || true
    done
    [ "$(readlink "$link")" != "$folder/slurm.conf" ] || rm "$link"
}

"$1"
