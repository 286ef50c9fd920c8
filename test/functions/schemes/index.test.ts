import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SCHEMES, secretContent } from '../../../functions/schemes/index.ts';
import type { SchemeName } from '../../../functions/schemes/scheme.ts';
import { SecretNotReady } from '../../../functions/secrets.ts';
import { ROOT } from '../../../infra/root.ts';
import { makeRsaSecret } from '../../../samples/delivery.ts';
import { SETTINGS } from '../../support/settings.ts';

/** Files of the folder that several schemes use. */
const SHARED = ['constant-time', 'credential', 'index', 'keys', 'scheme', 'signature-header', 'timestamp'];

it('has one file for each scheme, with the name of the scheme, because bundles import it by that name', () => {
  const files = readdirSync(join(ROOT, 'functions/schemes')).map((file) => file.replace(/\.ts$/, ''));
  expect(files.filter((file) => !SHARED.includes(file)).sort()).toEqual(Object.keys(SCHEMES).sort());
});

describe.each(Object.keys(SETTINGS) as SchemeName[])('the scheme %s', (name) => {
  const content = secretContent(name);
  const scheme = name === 'event-bus' ? undefined : SCHEMES[name];

  it('reads the field of the secret that it declares', () => {
    if (content === 'none') {
      expect(scheme?.readKeys({})).toBeUndefined();
      return;
    }
    const key =
      name === 'rsa'
        ? makeRsaSecret().publicKey
        : `whsec_${Buffer.from('a key of twenty-four byte').toString('base64')}`;
    expect(scheme?.readKeys({ username: 'webhook', [content.field]: key })).toBeDefined();
    expect(() => scheme?.readKeys({ username: 'webhook', [content.field]: '' })).toThrow(SecretNotReady);
    expect(() => scheme?.readKeys({ username: 'webhook' })).toThrow(`"${content.field}" is empty or missing`);
  });
});
