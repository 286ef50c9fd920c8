import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { bridgeStatement } from '../../local/iam.ts';
import { LOCAL_ACCOUNT, LOCAL_REGION } from '../../local/isolation.ts';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import { runCommand } from '../support/command.ts';
import { writeConnections } from '../support/configuration.ts';
import { whileReleasingLines } from '../support/release-lines.ts';

// Runs commands with IAM enforced and the policies of docs/commands.md: each role can do its work and no more.

const MINUTE = 60_000;
const STACK = 'closer-roles';
const PAGE = readFileSync(join(ROOT, 'docs/commands.md'), 'utf8');
const PROJECT = { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-191bfa2a' };
const ROLES = ['read-only', 'on-call', 'engineer'] as const;
type Role = (typeof ROLES)[number];

let polyai: PolyAIStandIn;
let local: LocalStack;
const credentials = new Map<Role, NodeJS.ProcessEnv>();

/** The statements of a role on the page, and those of the roles before it, with this account, region and stack. */
function statementsOf(role: Role) {
  return ROLES.slice(0, ROLES.indexOf(role) + 1).flatMap((each) => {
    const [, block = ''] = new RegExp(`\`\`\`json policy ${each}\\n([\\s\\S]*?)\`\`\``).exec(PAGE) ?? [];
    const own = block
      .replaceAll('eu-west-2', LOCAL_REGION)
      .replaceAll('111122223333', LOCAL_ACCOUNT)
      .replaceAll('polyai-chat-closer', STACK);
    return JSON.parse(own).Statement.map(bridgeStatement);
  });
}

async function assume(role: Role): Promise<NodeJS.ProcessEnv> {
  const RoleName = `${STACK}-${role}`;
  const iam = new IAMClient({});
  const trust = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${LOCAL_ACCOUNT}:root` },
    Action: 'sts:AssumeRole',
  };
  const document = (Statement: unknown) => JSON.stringify({ Version: '2012-10-17', Statement });
  const { Role: made } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document([trust]) }),
  );
  await iam.send(
    new PutRolePolicyCommand({ RoleName, PolicyName: role, PolicyDocument: document(statementsOf(role)) }),
  );
  const { Credentials } = await new STSClient({}).send(
    new AssumeRoleCommand({ RoleArn: made?.Arn, RoleSessionName: role }),
  );
  return {
    AWS_ACCESS_KEY_ID: Credentials?.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey,
    AWS_SESSION_TOKEN: Credentials?.SessionToken,
  };
}

beforeAll(async () => {
  polyai = await startPolyAI();
  local = await startLocalStack({
    configuration: writeConnections({
      polyai: { support: { ...PROJECT, cleanup: { schedule: 'rate(1 hour)', channels: ['CHAT'] } } },
      connections: { tickets: { crm: 'zendesk', polyai: 'support' } },
    }),
    polyai: { url: polyai.url, keys: polyai.keys },
    stackName: STACK,
    isIamEnforced: true,
    onStep: () => {},
  });
  for (const role of ROLES) credentials.set(role, await assume(role));
}, 4 * MINUTE);

afterAll(async () => {
  await local?.stop();
  await polyai?.close();
}, MINUTE);

async function run(role: Role, words: string, input = '') {
  return whileReleasingLines(local, () =>
    runCommand([...words.split(' '), '--stack', STACK], { env: credentials.get(role) ?? {}, input }),
  );
}

const DENIED = /do not have that permission|AccessDenied|not authorized|it cannot be read/i;

const READS = ['status', 'why CONV-none', 'connection tickets', 'diff'];
const OPERATES = [
  'redrive --list',
  'redrive --yes',
  'open support',
  'cleanup support --dry-run',
  'cleanup support',
  'why CONV-none --ask-polyai',
];
const CHANGES = ['secret list', 'send tickets'];

const MAY: Record<Role, string[]> = {
  'read-only': READS,
  'on-call': [...READS, 'doctor', ...OPERATES],
  engineer: [...READS, 'doctor', ...OPERATES, ...CHANGES],
};

const MAY_NOT: Record<Role, string[]> = {
  'read-only': [
    'redrive --list',
    'open support',
    'cleanup support',
    'close support CONV-1 --yes',
    'send tickets',
  ],
  'on-call': ['send tickets', 'secret rotate tickets --generate'],
  engineer: [],
};

describe.each(ROLES)('the role %s', (role) => {
  it.each(MAY[role])('may %s', async (words) => {
    const { code, stdout, stderr } = await run(role, words);
    expect(`${stdout}${stderr}`).not.toMatch(DENIED);
    expect(code, stderr).toBeLessThan(2);
  });

  it.each(MAY_NOT[role])('may not %s', async (words) => {
    const { code, stdout, stderr } = await run(role, words);
    expect(`${stdout}${stderr}`).toMatch(DENIED);
    expect(code).toBe(1);
  });
});

describe('a secret', () => {
  it('may be stored by an engineer only', async () => {
    const value = 'a-value-of-this-test';
    for (const role of ['read-only', 'on-call'] as const) {
      expect((await run(role, 'secret set tickets', value)).stderr).toMatch(DENIED);
    }
    expect((await run('engineer', 'secret set tickets', value)).code).toBe(0);
  });
});

describe('a close', () => {
  it('may be queued by whoever is on call', async () => {
    const id = polyai.openChat(PROJECT);
    const { code } = await run('on-call', `close support ${id} --yes`);
    expect(code).toBe(0);
    expect(polyai.isOpen(id)).toBe(false);
  });
});
