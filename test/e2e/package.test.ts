import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { type Emulator, startEmulator } from '../../local/emulator.ts';
import { isolatedEnvironment, LOCAL_ENVIRONMENT } from '../../local/isolation.ts';
import { type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import { removeRefused } from '../../local/refused-resources.ts';
import { temporaryFolder } from '../support/configuration.ts';

// A fresh CDK app outside the repository, with nothing but the packed package, as docs/construct.md shows it.

const MINUTE = 60_000;
const STACK = 'support-desk';
/** Measured: 581 KB, of which the fixtures and set-up guides are a third. */
const MAX_TARBALL_BYTES = 700_000;

let emulator: Emulator;
let polyai: PolyAIStandIn;
let app: string;
let tarball: string;
let env: NodeJS.ProcessEnv;

type Ended = { code: number | null; stdout: string; stderr: string };

/** Runs a program in the app's folder. */
async function run(program: string, args: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(program, args, { cwd: app, env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  return { code, stdout, stderr };
}

/** @throws {Error} with the output of a program that fails */
async function succeed(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}

const cdk = (...args: string[]) => succeed(join(app, 'node_modules/.bin/cdk'), [...args, '--no-notices']);
const closer = (args: string[], input?: string) =>
  run(join(app, 'node_modules/.bin/chat-closer'), [...args, '--stack', STACK], input);

beforeAll(async () => {
  app = temporaryFolder();
  env = { ...process.env };
  const built = join(temporaryFolder(), 'package');
  await succeed(process.execPath, [join(ROOT, 'scripts/build.ts'), '--out', built]);
  await succeed('npm', ['pack', built, '--pack-destination', app]);
  tarball = readdirSync(app).find((name) => name.endsWith('.tgz')) ?? '';
  cpSync(join(ROOT, 'docs/examples/cdk-app'), app, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
  manifest.dependencies['polyai-chat-closer'] = `file:./${tarball}`;
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest));
  await succeed('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline']);
  // A folder of its own: the emulator's scripts are CommonJS, and the app's package.json says otherwise.
  const folder = temporaryFolder();
  emulator = await startEmulator(folder, undefined, () => {});
  polyai = await startPolyAI();
  env = { ...isolatedEnvironment(emulator.endpoint, folder), POLYAI_URL: polyai.url };
}, 5 * MINUTE);

afterAll(async () => {
  await polyai?.close();
  await emulator?.stop();
}, MINUTE);

describe('the packed package', () => {
  it('is small', () => {
    expect(statSync(join(app, tarball)).size).toBeLessThan(MAX_TARBALL_BYTES);
  });

  it('has no TypeScript sources, tests or scripts', async () => {
    const files = (await succeed('tar', ['-tzf', join(app, tarball)])).split('\n');
    expect(files.filter((file) => /\.ts$/.test(file) && !file.endsWith('.d.ts'))).toEqual([]);
    expect(files.filter((file) => /^package\/(test|scripts|local)\//.test(file))).toEqual([]);
    expect(files).toContain('package/infra/index.d.ts');
    expect(files).toContain('package/THIRD-PARTY-NOTICES');
    expect(files).toContain('package/sbom.cdx.json');
  });

  it('names every package that it depends on in its bill of materials and its notices', () => {
    const built = join(app, 'node_modules/polyai-chat-closer');
    const read = (file: string) => readFileSync(join(built, file), 'utf8');
    const { dependencies } = JSON.parse(read('package.json'));
    const refs = JSON.parse(read('sbom.cdx.json')).components.map(
      (each: Record<string, string>) => each['bom-ref'],
    );
    const notices = read('THIRD-PARTY-NOTICES');
    for (const [name, version] of Object.entries(dependencies)) {
      expect(refs).toContain(`${name}@${version}`);
      expect(notices).toContain(`\n${name} ${version} (`);
    }
  });

  it(
    'closes a chat from a CDK app that has nothing else',
    async () => {
      await cdk('bootstrap', LOCAL_ENVIRONMENT, '--app', '');
      await cdk('synth', '--quiet', '--output', join(app, 'cdk.out'));
      removeRefused(join(app, 'cdk.out', `${STACK}.template.json`));
      await cdk('deploy', STACK, '--app', join(app, 'cdk.out'), '--require-approval', 'never');

      const keys = await closer(['secret', 'set', 'support'], JSON.stringify(polyai.keys));
      expect(keys).toMatchObject({ code: 0 });
      expect(await closer(['secret', 'set', 'zendesk-support'], 'a-signing-secret')).toMatchObject({
        code: 0,
      });

      const conversation = polyai.openChat();
      const sent = await closer([
        'send',
        'zendesk-support',
        '--conversation',
        conversation,
        '--yes',
        '--json',
      ]);
      expect(JSON.parse(sent.stdout)).toMatchObject({ status: 200, conversationId: conversation });
      expect(polyai.isOpen(conversation)).toBe(false);
    },
    5 * MINUTE,
  );

  it(
    'refuses a forged delivery, and status finds the user’s own stack',
    async () => {
      const forged = await closer(['send', 'zendesk-support', '--forge', '--json']);
      expect(forged).toMatchObject({ code: 0 });
      expect(JSON.parse(forged.stdout)).toMatchObject({ status: 401 });
      const status = JSON.parse((await closer(['status', '--json'])).stdout);
      expect(status).toMatchObject({ lookedAt: expect.any(Array) });
    },
    2 * MINUTE,
  );
});
