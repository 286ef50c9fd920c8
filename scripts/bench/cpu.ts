import { readdirSync, readFileSync } from 'node:fs';

/**
 * The CPU time that the threads of a process have had, by the scheduler's own count.
 *
 * @returns nanoseconds; a thread that has ended no longer counts
 * @throws {Error} when the process has ended, and on a system other than Linux
 * @see https://docs.kernel.org/scheduler/sched-stats.html
 */
export function cpuTimeNs(pid: number): number {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder)
    .map((thread) => readRunTime(`${folder}/${thread}/schedstat`))
    .reduce((sum, time) => sum + time, 0);
}

/** A thread may end between the listing and the reading. */
function readRunTime(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8').split(' ')[0]);
  } catch {
    return 0;
  }
}

/** The largest resident memory that a process has had, in bytes. */
export function peakMemory(pid: number): number {
  const [, kilobytes = ''] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
