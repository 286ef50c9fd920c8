import { describe, expect, it } from 'vitest';
import { CRM_NAMES } from '../../../functions/crm/index.ts';
import type { ConnectionConfiguration } from '../../../infra/config/load.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { readFixture } from '../../../samples/fixture.ts';
import { connectionOf } from '../../support/crm.ts';

/** The settings that the functions never get. */
const SYNTH_ONLY = {
  dataCentre: 'eu',
  audience: '3113',
  jwksUrl: 'https://keys.example.com/keys',
  bus: 'orders',
  source: 'acme.desk',
  eventPattern: { source: ['acme.desk'] },
  existingSecret: 'own/secret',
  existingSecretKey: 'arn:aws:kms:eu-west-2:111122223333:key/1',
};
const EMBEDDED = {
  conversationId: 'body.id',
  finishedWhen: 'always',
  finishedValues: ['closed'],
  lookUp: 'sharedId',
  repeatedFinish: 'allow',
  sharedId: 'body.ticket',
  format: 'form',
  publicUrl: 'https://hooks.example.com/crm',
  allowedSources: ['192.0.2.0/24'],
  sender: 'acme',
  rehearse: true,
} as const satisfies Partial<Record<keyof ConnectionConfiguration, unknown>>;

describe('a connection of the configuration', () => {
  const verify = { scheme: 'bearer' } as const;
  const whole = { crm: 'custom', polyai: 'support', verify, ...SYNTH_ONLY, ...EMBEDDED };
  const configuration = whole as unknown as ConnectionConfiguration;

  it('keeps every setting that the functions read, and no other', () => {
    expect(toConnection(configuration, 'stack/connections/c/secret')).toEqual({
      crm: 'custom',
      project: 'support',
      secretId: 'stack/connections/c/secret',
      verify,
      ...EMBEDDED,
    });
  });

  it('has no secret where its scheme needs none', () => {
    expect(toConnection(configuration)).not.toHaveProperty('secretId');
  });

  it('loses a key that is in neither list', () => {
    const unknown = { ...configuration, password: 'x', constructor: 'x', toString: 'x' };
    expect(JSON.stringify(toConnection(unknown))).not.toContain('"x"');
  });

  it.each(CRM_NAMES)('has only plain values, so that it can be written into a bundle: %s', (crm) => {
    const connection = toConnection(connectionOf(crm, readFixture(crm, 'finished.json').connection));
    expect(JSON.parse(JSON.stringify(connection))).toEqual(connection);
  });
});
