#!/usr/bin/env bash
# A SLURM cluster of one node, this machine: munge, slurmctld, slurmd, without accounting. For Debian's slurm-wlm, as root.
#   tests/slurm/cluster.sh start | stop
set -euo pipefail

base=/var/tmp/nuclr-slurm
export SLURM_CONF=$base/slurm.conf
node=$(hostname -s)

stop() {
    for daemon in slurmd slurmctld; do
        if [ -f "$base/$daemon.pid" ]; then kill "$(cat "$base/$daemon.pid")" 2>/dev/null || true; fi
    done
}

start() {
    mkdir -p "$base/state" "$base/spool"
    # A container's clock and memory may differ from what slurmd expects of hardware: only the cores are told.
    cat > "$SLURM_CONF" <<CONF
ClusterName=nuclr
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
StateSaveLocation=$base/state
SlurmdSpoolDir=$base/spool
SlurmctldPidFile=$base/slurmctld.pid
SlurmdPidFile=$base/slurmd.pid
SlurmctldLogFile=$base/slurmctld.log
SlurmdLogFile=$base/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=1,sched_interval=2
KillWait=10
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=test Nodes=$node Default=YES MaxTime=1:00:00 State=UP
CONF
    [ -f /etc/munge/munge.key ] || /usr/sbin/mungekey
    mkdir -p /run/munge && chown munge: /run/munge /etc/munge/munge.key
    pgrep -x munged > /dev/null || runuser -u munge -- /usr/sbin/munged
    slurmctld
    slurmd
    for _ in $(seq 30); do
        if sinfo --noheader --format=%T 2>/dev/null | grep -q idle; then return; fi
        sleep 1
    done
    echo "The node does not become idle:" >&2
    sinfo >&2 || true
    tail -5 "$base"/*.log >&2
    exit 1
}

"${1:?start or stop}"
