import { defineConfig } from 'vitest/config';

/** @param files globs below test/ */
const project = (name: string, files: string[], isSerial = false) => ({
  test: {
    // The default leaves one core idle. Some tests wait, so four workers keep two cores busy.
    maxWorkers: 4,
    name,
    include: files.map((each) => `test/${each}.test.ts`),
    // No test asserts on time: this only ends one that hangs, on a slow and busy machine too.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    // One file after the other: each starts an emulator or a simulation of its own, and the machine may be small.
    fileParallelism: !isSerial,
  },
});

export default defineConfig({
  test: {
    // The default leaves one core idle. Some tests wait, so four workers keep two cores busy.
    maxWorkers: 4,
    projects: [
      project('unit', [
        'architecture',
        'commands/**/*',
        'functions/**/*',
        'infra/config/**/*',
        'local/**/*',
        'operate/**/*',
        'samples/**/*',
        'scripts/**/*',
        'signals/**/*',
      ]),
      project('infrastructure', ['infra/*']),
      project('bundle', ['bundle/**/*']),
      project('soak', ['soak/**/*'], true),
      project('e2e', ['e2e/**/*'], true),
    ],
  },
});
