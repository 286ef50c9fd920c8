import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../../infra/root.ts';

const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const json = (path: string) => JSON.parse(text(path));
const manifest = json('package.json');

type Step = { uses?: string; run?: string; with?: Record<string, unknown> };
type Job = { steps: Step[]; if?: string; permissions?: object };
type Workflow = { on: Record<string, unknown>; permissions: object; jobs: Record<string, Job> };

const WORKFLOWS = [...globSync('.github/workflows/*.yml', { cwd: ROOT }), 'docs/examples/github-actions.yml'];
const PIPELINE = 'docs/examples/codepipeline.yml';

/** The commands of a workflow or a build, without those of the machine that runs it. */
const npmCommands = (commands: readonly string[]) =>
  commands.flatMap((command) => command.match(/\b(?:npm|npx|node) [^\n&|]+/g) ?? []);

/** Programs that are not in this repository: npm brings them. */
const OF_NPM = ['ci', 'audit'];

/** Whether the repository has what a command names: a package's program, an npm script or a file. */
function exists(command: string): boolean {
  const [program, name = '', script = ''] = command.trim().split(/\s+/);
  if (program === 'npx') return existsSync(join(ROOT, 'node_modules/.bin', name));
  if (program === 'node') return existsSync(join(ROOT, name));
  return OF_NPM.includes(name) || Object.hasOwn(manifest.scripts, name === 'run' ? script : name);
}

describe.each(WORKFLOWS)('the workflow %s', (path) => {
  const workflow: Workflow = parse(text(path));
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  it('pins each action to a commit, and says which release that is', () => {
    const used = [...text(path).matchAll(/uses: (\S+)(.*)/g)].map(
      ([, action = '', more = '']) => action + more,
    );
    expect(used.length).toBe(steps.filter(({ uses }) => uses).length);
    expect(used.filter((each) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(each))).toEqual([]);
  });

  it('may only read the repository, and leaves no token in the checkout', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    expect(checkouts.length).toBeGreaterThan(0);
    expect(checkouts.filter((step) => step.with?.['persist-credentials'] !== false)).toEqual([]);
  });

  it('runs only what the repository has', () => {
    const commands = npmCommands(steps.flatMap(({ run }) => run ?? []));
    expect(commands.length).toBeGreaterThan(1);
    expect(commands.filter((command) => !exists(command))).toEqual([]);
  });
});

it('the same action has the same commit everywhere', () => {
  const commits = new Map<string, Set<string>>();
  for (const [, action = '', commit = ''] of WORKFLOWS.map(text)
    .join('\n')
    .matchAll(/uses: (\S+)@(\S+)/g))
    commits.set(action, (commits.get(action) ?? new Set()).add(commit));
  expect([...commits].filter(([, { size }]) => size > 1)).toEqual([]);
});

describe('docs/examples/github-actions.yml', () => {
  const { jobs, on }: Workflow = parse(text('docs/examples/github-actions.yml'));

  it('checks pull requests without credentials, and only pushes may assume the role', () => {
    expect(Object.keys(on)).toEqual(['push', 'pull_request']);
    expect(JSON.stringify(jobs.check)).not.toContain('credentials@');
    expect(jobs.deploy).toMatchObject({
      if: "github.event_name == 'push'",
      needs: 'check',
      permissions: { contents: 'read', 'id-token': 'write' },
    });
    expect(
      Object.entries(jobs).filter(([, { permissions }]) => permissions && 'id-token' in permissions),
    ).toHaveLength(1);
  });

  it('deploys what was checked, and no terminal is asked', () => {
    const commands = jobs.deploy?.steps.flatMap(({ run }) => run ?? []);
    expect(commands?.at(-1)).toBe('npx cdk deploy --app cdk.out --require-approval never');
  });
});

describe(PIPELINE, () => {
  /** CloudFormation's short forms, such as `!Ref`, are read as their values. */
  const template = parse(text(PIPELINE), { logLevel: 'silent' });
  const { Source } = template.Resources.Deploy.Properties;
  const build = parse(String(Source.BuildSpec));

  it('builds with what the repository has, and no terminal is asked', () => {
    const commands = npmCommands([...build.phases.install.commands, ...build.phases.build.commands]);
    expect(commands.filter((command) => !exists(command))).toEqual([]);
    expect(commands.at(-1)).toContain('cdk deploy --require-approval never');
  });

  it('waits for an approval between the source and the deployment', () => {
    const stages = template.Resources.Pipeline.Properties.Stages;
    expect(stages.map(({ Name }: { Name: string }) => Name)).toEqual(['Source', 'Approval', 'Deploy']);
  });
});

it('the dev container runs what the repository has', () => {
  const { postCreateCommand } = json('.devcontainer/devcontainer.json');
  const commands = npmCommands(postCreateCommand.split('&&'));
  expect(commands.length).toBeGreaterThan(0);
  expect(commands.filter((command: string) => !exists(command))).toEqual([]);
});

it('each folder with pinned packages gets updates', () => {
  const { updates } = parse(text('.github/dependabot.yml'));
  const found = updates.flatMap((update: Record<string, unknown>) =>
    [update.directories ?? update.directory]
      .flat()
      .map((folder) => `${update['package-ecosystem']} ${folder}`),
  );
  expect(found).toEqual(['npm /', 'pip /local', 'pip /test', 'github-actions /']);
});

describe('a release', () => {
  it('has one version everywhere', () => {
    expect(json('package-lock.json').version).toBe(manifest.version);
    const { dependencies, devDependencies } = json('docs/examples/cdk-app/package.json');
    expect({ ...dependencies, ...devDependencies }).toEqual({
      'polyai-chat-closer': manifest.version,
      'aws-cdk-lib': manifest.devDependencies['aws-cdk-lib'],
      'aws-cdk': manifest.devDependencies['aws-cdk'],
      constructs: manifest.devDependencies.constructs,
    });
  });

  it('is the newest in the changelog, with its date', () => {
    const [newest] = [...text('CHANGELOG.md').matchAll(/^## \[(\d[^\]]*)\] - (\d{4}-\d\d-\d\d)$/gm)];
    expect(newest?.[1]).toBe(manifest.version);
  });

  it('pins every package to one version', () => {
    const { dependencies, devDependencies } = manifest;
    const versions = Object.values({ ...dependencies, ...devDependencies }) as string[];
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});
