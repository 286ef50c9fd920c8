import type { Card } from '../operate/card/card.ts';
import type { Style } from './style.ts';

type Row = [label: string, value: string];

/** The card's facts in the order in which an administrator needs them. */
export function rowsOf(card: Card): Row[] {
  const { address, bus, headers, state, rehearses } = card;
  return [
    ...(address ? [['Address', address] as Row] : []),
    ...(bus ? [['Event bus', bus] as Row] : []),
    ['Proof', card.proof],
    ...(headers.length > 0 ? [['Headers', headers.join(', ')] as Row] : []),
    ['Conversation id', card.idField],
    ['Finished', card.finished],
    ['PolyAI project', card.project],
    ['Guide', card.guide],
    ['You give', card.give.join('; ')],
    ['You get', card.get.join('; ')],
    ['Test', card.test.join('\n')],
    ['Secret', secretText(state)],
    ['Last accepted', state.lastAccepted ?? 'none in this time'],
    ...(state.lastIgnored
      ? [['Last ignored', `${state.lastIgnored.at}: ${state.lastIgnored.reason}`] as Row]
      : []),
    [
      'Last refused',
      state.lastRefused ? `${state.lastRefused.at}: ${state.lastRefused.sentence}` : 'none in this time',
    ],
    ...(rehearses ? [['Rehearsal', 'it rehearses: nothing is closed'] as Row] : []),
  ];
}

function secretText({ secret }: Card['state']): string {
  if (secret === 'none') return 'none is needed';
  if (!secret.filled) return `not stored yet: ${secret.shape}`;
  return `${secret.shape === 'ok' ? 'stored' : `stored, but ${secret.shape}`}${secret.changedAt ? `, last changed ${secret.changedAt}` : ''}`;
}

/** The card for a terminal. */
export function cardText(card: Card, style: Style): string {
  const width = Math.max(...rowsOf(card).map(([label]) => label.length));
  const indent = ' '.repeat(width + 2);
  const rows = rowsOf(card).map(
    ([label, value]) => `${style.bold(label.padEnd(width))}  ${value.replaceAll('\n', `\n${indent}`)}`,
  );
  const body = card.body ? ['', style.bold('Body to paste'), card.body] : [];
  return [style.bold(`${card.name}: ${card.title}`), '', ...rows, ...body].join('\n');
}

/** The card as one HTML file without anything from elsewhere, to send by mail. */
export function cardHtml(card: Card): string {
  const rows = rowsOf(card).map(
    ([label, value]) =>
      `<tr><th scope="row">${escapeHtml(label)}</th><td>${escapeHtml(value).replaceAll('\n', '<br>')}</td></tr>`,
  );
  const body = card.body ? `<h2>Body to paste</h2><pre>${escapeHtml(card.body)}</pre>` : '';
  const title = escapeHtml(`${card.name}: ${card.title}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
th { text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0; white-space: nowrap; }
td { padding: .3rem 0; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid; }
</style>
</head>
<body>
<h1>${title}</h1>
<table>${rows.join('\n')}</table>
${body}
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
