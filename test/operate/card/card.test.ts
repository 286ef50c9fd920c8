import { describe, expect, it } from 'vitest';
import { cardHtml, cardText } from '../../../commands/card-text.ts';
import { createStyle } from '../../../commands/style.ts';
import { CRMS } from '../../../functions/crm/index.ts';
import { REFUSALS } from '../../../functions/refusal.ts';
import { requires } from '../../../infra/config/preset.ts';
import { cardOf, connectionCard } from '../../../operate/card/card.ts';
import { refusalWords } from '../../../operate/card/refusal-words.ts';
import { subjectOf } from '../../../operate/explain/subject.ts';
import { ago, deploymentOf, logsWith, NOW, surroundingsOf } from '../../support/operated.ts';

const SPAN = { from: NOW - 24 * 3_600_000, to: NOW + 1 };
const plain = createStyle(false);

const secretsManager = {
  send: async () => ({ LastChangedDate: new Date(ago(500)), SecretString: '{"signingSecret":"tHe-SeCrEt"}' }),
} as never;

const delivery = (minutes: number, line: object) => ({
  at: ago(minutes),
  type: 'delivery',
  connection: 'zendesk-support',
  ...line,
});

async function card(lines: ReturnType<typeof delivery>[] = []) {
  const parts = { ...surroundingsOf(), logs: logsWith(lines), secretsManager };
  return connectionCard('zendesk-support', deploymentOf(), SPAN, parts);
}

describe('a card', () => {
  it.each(Object.keys(CRMS).filter((crm) => !requires(crm).includes('verify')))(
    'of %s says what is finished, where the id is and how a delivery is proven',
    (crm) => {
      const found = cardOf('desk', subjectOf(crm, undefined).connection, 'https://hooks.example/webhooks');
      expect(found.finished).not.toBe('');
      expect(found.idField).not.toBe('');
      expect(found.proof).not.toBe('');
      expect(found.address ?? found.bus).toBeTruthy();
      expect(JSON.stringify(found)).not.toContain('undefined');
    },
  );

  it('has the last accepted, ignored and refused delivery, in the words of the CRM', async () => {
    const { state } = await card([
      delivery(90, { result: 'accepted' }),
      delivery(60, { result: 'accepted' }),
      delivery(30, { result: 'ignored', ignored: [{ reason: 'no_conversation_id' }] }),
      delivery(10, { result: 'refused', refused: 'signature_mismatch' }),
    ]);
    expect(state).toMatchObject({
      secret: { filled: true, shape: 'ok', changedAt: ago(500) },
      lastAccepted: ago(60),
      lastIgnored: { at: ago(30), reason: 'no_conversation_id' },
      lastRefused: { at: ago(10), code: 'signature_mismatch', sentence: expect.stringContaining('Zendesk') },
    });
  });

  it('never has the secret, as text or as HTML', async () => {
    const found = await card();
    for (const text of [cardText(found, plain), cardHtml(found), JSON.stringify(found)]) {
      expect(text).not.toContain('tHe-SeCrEt');
    }
  });

  it('has the address and the body to paste', async () => {
    const text = cardText(await card(), plain);
    expect(text).toContain('https://hooks.example/webhooks/zendesk-support');
    expect(text).toContain('"polyai_conversation_id": "{{ticket.external_id}}"');
  });

  it('as HTML needs nothing from elsewhere, and no name can add to its markup', async () => {
    const html = cardHtml({ ...(await card()), finished: '<script>alert(1)</script>' });
    expect(html).not.toMatch(/<script|<link|src=|href=/);
    expect(html).toContain('&#60;script&#62;');
  });

  it('refuses an unknown connection, and names the nearest', async () => {
    const parts = { ...surroundingsOf(), logs: logsWith([]), secretsManager };
    await expect(connectionCard('zendesk-suport', deploymentOf(), SPAN, parts)).rejects.toThrow(
      'Did you mean "zendesk-support"?',
    );
  });
});

describe('the words of a refusal', () => {
  it.each(Object.keys(REFUSALS))('of %s are a sentence for the CRM’s administrator', (code) => {
    const words = refusalWords(code, 'Zendesk Support');
    expect(words).not.toContain('{page}');
    expect(words).not.toContain(code);
    expect(words.length).toBeGreaterThan(30);
  });
});
