import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { SMALLEST, temporaryFolder, writeConnections } from '../support/configuration.ts';

/** Runs the app as the CDK's command line does. `context` is what -c sets, `told` what its credentials tell. */
function runApp(context: Record<string, unknown>, told: Record<string, string> = {}) {
  const outdir = temporaryFolder();
  const { context: own } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  const env = {
    ...process.env,
    ...told,
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify({ ...own, ...context }),
  };
  const result = spawnSync(process.execPath, ['infra/app.ts'], { cwd: ROOT, env, encoding: 'utf8' });
  return { ...result, outdir };
}

describe('the app', () => {
  it('synthesises the repository’s connections.json under the default name', () => {
    const { status, outdir, stderr } = runApp({});
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    expect(stderr).toMatch(/^Configuration: connections\.json\n$/m);
    expect(existsSync(join(outdir, 'polyai-chat-closer.template.json'))).toBe(true);
  });

  it('uses the stack’s name and the configuration’s file from the command line', () => {
    const connections = writeConnections(SMALLEST);
    const { status, outdir, stderr } = runApp({ stack: 'another', connections });
    expect(status).toBe(0);
    expect(stderr).toContain(`Configuration: ${connections}\n`);
    expect(readFileSync(join(outdir, 'another.template.json'), 'utf8')).toContain(
      'another/polyai/support/secret',
    );
  });

  it('prints the file that was read, so that a misspelt -c shows', () => {
    const { status, stderr } = runApp({ conections: writeConnections(SMALLEST) });
    expect(status).toBe(0);
    expect(stderr).toMatch(/^Configuration: connections\.json\n$/m);
  });

  it('refuses an existingSecret that the stack of this name makes for another connection', () => {
    const { 'zendesk-support': zendesk } = SMALLEST.connections;
    const connections = writeConnections({
      ...SMALLEST,
      connections: { a: zendesk, b: { ...zendesk, existingSecret: 'another/connections/a/secret' } },
    });
    expect(runApp({ connections }).status).toBe(0);
    const { status, stderr } = runApp({ stack: 'another', connections });
    expect(status).toBe(1);
    expect(stderr).toContain('connections.b.existingSecret is the secret of connections.a');
  });

  it('lists every fault at once, exits with 1 and shows no stack trace', () => {
    const connections = writeConnections({
      polyai: {
        support: { region: 'uk', accountId: 'a/b', projectId: 'PROJECT-1', baseUrl: 'http://example.com' },
      },
      connections: { 'Zendesk!': { crm: 'zendesc', polyai: 'sales' } },
    });
    const { status, stderr } = runApp({ connections });
    expect(status).toBe(1);
    for (const named of [
      'polyai.support.region',
      'polyai.support.accountId',
      'polyai.support.baseUrl',
      'zendesc',
      'sales',
      'Zendesk!',
    ]) {
      expect(stderr).toContain(named);
    }
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  describe('a configuration with ARNs of one account and region', () => {
    const own = 'arn:aws:secretsmanager:eu-west-2:123456789012:secret:crm/tickets-AbC123';
    const connections = writeConnections({
      ...SMALLEST,
      stack: { alarms: { topicArn: 'arn:aws:sns:eu-west-2:123456789012:alarms' } },
      connections: { tickets: { crm: 'zendesk', polyai: 'support', existingSecret: own } },
    });
    const context = { connections, 'aws:cdk:bundling-stacks': [] };

    it('is accepted without credentials, because the command line then makes up the region', () => {
      const { status, stderr } = runApp(context, { CDK_DEFAULT_REGION: 'us-east-1' });
      expect({ status, stderr }).toEqual({
        status: 0,
        stderr: expect.stringMatching(/^Configuration: \S+\n$/),
      });
    });

    it('is refused when the credentials are for another region, with a fix for each ARN', () => {
      const told = { CDK_DEFAULT_ACCOUNT: '123456789012', CDK_DEFAULT_REGION: 'us-east-1' };
      const { status, stderr } = runApp(context, told);
      expect(status).toBe(1);
      expect(stderr).toMatch(
        /stack\.alarms\.topicArn is in region eu-west-2, but this stack is in us-east-1\. Name a topic/,
      );
      expect(stderr).toMatch(
        /connections\.tickets\.existingSecret is in region eu-west-2, .* Store the secret/,
      );
      expect(stderr).not.toMatch(/^\s+at /m);
    });
  });

  it('refuses more resources than one stack can have, without a stack trace', () => {
    const { support } = SMALLEST.polyai;
    const many = Array.from({ length: 230 }, (_, n) => [`p-${n}`, support]);
    const connections = writeConnections({ ...SMALLEST, polyai: { support, ...Object.fromEntries(many) } });
    const { status, stderr } = runApp({ connections, 'aws:cdk:bundling-stacks': [] });
    expect(status).toBe(1);
    expect(stderr).toMatch(/the file needs 5\d\d resources .* docs\/scale\.md/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('refuses a name that CloudFormation would not take', () => {
    const { status, stderr } = runApp({ stack: '1 bad name' });
    expect(status).toBe(1);
    expect(stderr).toContain('not a stack name');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('has no path of this machine in a bundle, so that every checkout makes the same bundles', () => {
    const { outdir } = runApp({});
    const found = execFileSync('find', [outdir, '-name', 'index.mjs'], { encoding: 'utf8' })
      .trim()
      .split('\n');
    expect(found).toHaveLength(2);
    for (const file of found) expect(readFileSync(file, 'utf8')).not.toContain(ROOT);
  });
});
