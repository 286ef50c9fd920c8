import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import custom from '../../../functions/crm/custom.ts';
import { CRM_NAMES } from '../../../functions/crm/index.ts';
import { readDelivery } from '../../../functions/intake/read-delivery.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { ROOT } from '../../../infra/root.ts';
import { configurationOf } from '../../support/configuration.ts';
import { contentOf } from '../../support/content.ts';
import { blocks } from '../../support/page-blocks.ts';

// Pages about desks without a preset. The registry's test does not find them.

describe.each(['nice-cxone', 'five9', 'talkdesk'])('the page about %s', (name) => {
  const page = join(ROOT, 'docs/crm', `${name}.md`);
  const [configuration, ...others] = blocks(page, 'connections');

  it('shows one connection, which uses the preset custom, because there is no other', () => {
    expect(CRM_NAMES).not.toContain(name);
    expect(others).toEqual([]);
    const { connections } = configurationOf(configuration?.text ?? '');
    expect(Object.values(connections)).toMatchObject([{ crm: 'custom' }]);
  });

  it('shows a delivery for which this connection closes one chat', () => {
    const [found] = Object.values(configurationOf(configuration?.text ?? '').connections);
    if (!found) throw new Error('no connection');
    const connection = toConnection(found);
    const samples = blocks(page, 'sample');
    expect(samples).toHaveLength(1);
    for (const { text } of samples) {
      const { closes } = readDelivery(custom, connection, contentOf(connection, { text }));
      expect(closes).toMatchObject([{ conversationId: 'CONV-1234567890' }]);
    }
  });

  it('says what nobody could verify', () => {
    expect(readFileSync(page, 'utf8')).toContain('\n## What nobody could verify\n');
  });
});
