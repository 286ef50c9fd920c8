import { describe, expect, it } from 'vitest';
import { changesBetween } from '../../operate/diff.ts';
import { configurationOf } from '../support/configuration.ts';

const PROJECT = { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-191bfa2a' };
const HUBSPOT = {
  crm: 'hubspot',
  polyai: 'support',
  finishedValues: ['4', '7'],
  lookUp: 'sharedId',
  repeatedFinish: 'allow',
};
const OWN = {
  crm: 'custom',
  polyai: 'support',
  verify: { scheme: 'bearer' },
  finishedWhen: 'always',
  conversationId: 'body.id',
};

type Content = { stack?: object; polyai?: object; connections?: object };
const of = ({ stack = {}, polyai = { support: PROJECT }, connections = { hub: HUBSPOT } }: Content = {}) =>
  configurationOf({ stack, polyai, connections });

const sentences = (before: Content, after: Content, deliveries = {}) =>
  changesBetween(of(before), of(after), deliveries).map(
    ({ subject, kind, sentence }) => `${subject} (${kind}): ${sentence}`,
  );

describe('what a deployment changes', () => {
  it('is nothing when the configuration is the same', () => {
    expect(sentences({}, {})).toEqual([]);
  });

  it.each<[string, Content, Content, string]>([
    [
      'an address that dies',
      {},
      { connections: { own: OWN } },
      'connection hub (address): The address …/webhooks/hub dies: it answers 404. It had 214 deliveries in this time.',
    ],
    [
      'a secret that stays behind',
      {},
      { connections: { own: OWN } },
      'connection hub (secret): Its secret stays behind in Secrets Manager.',
    ],
    [
      'a new address',
      {},
      { connections: { hub: HUBSPOT, own: OWN } },
      'connection own (address): The address …/webhooks/own is added.',
    ],
    [
      'values that no longer count',
      {},
      { connections: { hub: { ...HUBSPOT, finishedValues: ['4'] } } },
      'connection hub (finished): 7 no longer counts as finished.',
    ],
    [
      'values that now count',
      {},
      { connections: { hub: { ...HUBSPOT, finishedValues: ['4', '7', '9'] } } },
      'connection hub (finished): 9 now counts as finished.',
    ],
    [
      'another selector',
      { connections: { own: OWN } },
      { connections: { own: { ...OWN, conversationId: 'body.chat' } } },
      'connection own (id): The conversation is found another way: body.chat instead of body.id.',
    ],
    [
      'a rehearsal',
      {},
      { connections: { hub: { ...HUBSPOT, rehearse: true } } },
      'connection hub (rehearsal): It rehearses: its deliveries close no chat any more.',
    ],
    [
      'the end of a rehearsal',
      { connections: { hub: { ...HUBSPOT, rehearse: true } } },
      {},
      'connection hub (rehearsal): Its rehearsal ends: its deliveries close chats.',
    ],
    [
      'another proof',
      { connections: { own: OWN } },
      { connections: { own: { ...OWN, verify: { scheme: 'basic' } } } },
      'connection own (proof): How its deliveries are verified changes (basic): the CRM may have to change too.',
    ],
    [
      'another region',
      {},
      { polyai: { support: { ...PROJECT, region: 'us-1' } } },
      'project support (project): Chats are closed at https://api.us-1.platform.polyai.app/v1/acme-uk/PROJECT-191bfa2a instead of https://api.uk-1.platform.polyai.app/v1/acme-uk/PROJECT-191bfa2a. Closes that wait go there too.',
    ],
    [
      'a new cleanup',
      {},
      {
        polyai: {
          support: { ...PROJECT, cleanup: { schedule: 'rate(1 hour)', channels: ['CHAT'], dryRun: false } },
        },
      },
      'project support (cleanup): It gets a cleanup: closes chats that are idle for 12h, by rate(1 hour).',
    ],
    [
      'a new project',
      {},
      { polyai: { support: PROJECT, sales: { ...PROJECT, projectId: 'PROJECT-2' } } },
      'project sales (secret): Its secret must be filled: npx --no chat-closer secret set sales',
    ],
    [
      'a setting of the stack',
      {},
      { stack: { maxConcurrency: 9 } },
      'stack (other): Settings of the stack change: maxConcurrency.',
    ],
  ])('names %s', (_, before, after, expected) => {
    expect(sentences(before, after, { hub: 214 })).toContain(expected);
  });

  it('names a project that goes, whose closes then fail', () => {
    const both = { polyai: { support: PROJECT, sales: { ...PROJECT, projectId: 'PROJECT-2' } } };
    expect(sentences(both, {})).toContain(
      'project sales (project): Its closes that still wait fail with unknown_target until it is deployed again.',
    );
  });
});
