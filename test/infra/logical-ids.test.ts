import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { EVERYTHING } from '../support/everything.ts';
import { createStack } from '../support/stack.ts';
import { templateOf } from '../support/template.ts';

// The logical ids of the newest release. CloudFormation replaces a resource whose id changes: users would lose what a
// queue holds, the values of their secrets, their logs, or the address that their CRMs call.
//
// To accept a change on purpose: UPDATE_LOGICAL_IDS=1 npx vitest run --project infrastructure logical-ids

const FIXTURE = join(ROOT, 'test/infra/logical-ids.json');
/** What holds data, or what others have written down. */
const KEPT = [
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::Stage',
  'AWS::KMS::Key',
  'AWS::Logs::LogGroup',
  'AWS::SecretsManager::Secret',
  'AWS::SNS::Topic',
  'AWS::SQS::Queue',
];

const now = Object.fromEntries(
  Object.entries(templateOf(createStack(EVERYTHING)).Resources).map(([id, { Type }]) => [id, Type]),
);

if (process.env.UPDATE_LOGICAL_IDS) writeFileSync(FIXTURE, `${JSON.stringify(now, null, 2)}\n`);
const released: Record<string, string> = JSON.parse(readFileSync(FIXTURE, 'utf8'));

describe('an upgrade from the newest release', () => {
  it.each(KEPT)('keeps every %s', (type) => {
    const ids = (of: Record<string, string>) => Object.keys(of).filter((id) => of[id] === type);
    expect(ids(released).length).toBeGreaterThan(0);
    expect(ids(now)).toEqual(expect.arrayContaining(ids(released)));
  });

  it('changes the type of no resource', () => {
    const changed = Object.keys(now).filter((id) => released[id] !== undefined && released[id] !== now[id]);
    expect(changed).toEqual([]);
  });
});
