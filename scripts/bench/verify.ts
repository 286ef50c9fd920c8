import { type Comparison, comparisons } from './libraries.ts';
import { interleave, median } from './statistics.ts';

/** A verification by us and by a library. CPU in microseconds. */
export type Verification = { name: string; bytes: number; ours: number; theirs: number };

/** The largest is the limit of a delivery. The one in the middle is the largest that a form may have. */
export const SIZES = [1024, 200 * 1024, 1024 * 1024 - 64];
/** A batch hashes about so many bytes, but is not more than so many verifications. */
const BATCH_BYTES = 20 * 1024 * 1024;
const MAX_BATCH = 5000;
const WARM_UP_ROUNDS = 3;

/** Compares verifications in this process, batch by batch in turns. */
export async function measureVerification(runs: number): Promise<Verification[]> {
  const results: Verification[] = [];
  for (const bytes of SIZES) {
    for (const comparison of comparisons(bytes)) results.push(await measure(comparison, bytes, runs));
  }
  return results;
}

async function measure(
  { name, ours, theirs }: Comparison,
  bytes: number,
  runs: number,
): Promise<Verification> {
  const count = Math.min(MAX_BATCH, Math.ceil(BATCH_BYTES / bytes));
  const batch = (verify: () => Promise<void>) => async () => {
    // The scheduler counts a running process only at its ticks. For the own process the kernel counts exactly.
    const before = process.cpuUsage();
    for (let index = 0; index < count; index += 1) await verify();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / count;
  };
  const tasks = [batch(ours), batch(theirs)];
  await interleave(WARM_UP_ROUNDS, tasks);
  const [own = [], other = []] = await interleave(runs, tasks);
  return { name, bytes, ours: median(own), theirs: median(other) };
}
