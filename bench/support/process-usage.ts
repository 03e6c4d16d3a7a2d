import { readFile } from 'node:fs/promises';

/** Linux counts CPU time for user space in hundredths of a second on every architecture (times(2), USER_HZ). */
const ticksPerSecond = 100;

/** User and system time of a process since its start, in seconds, from Linux's /proc (proc_pid_stat(5)). */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in parentheses. It may contain any character.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The resident memory now, in MiB. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  if (found === null) throw new Error(`process ${pid} has no resident memory: it has ended`);
  return Number(found[1]) / 1024;
}
