import type { Setting } from '../../functions/crm/crm.ts';
import { type Configuration, chosenSchemes, type Key, requiredOf, settingsOf } from './configuration.ts';
import { nameLink } from './crm-tables.ts';
import { code, codes, linkTo, table } from './markdown.ts';
import { choicesOf, type Page } from './page.ts';

const REFERENCE = 'docs/configuration.md';

/** What a key means and which values it takes. */
function meaningOf(key: Key): string {
  return [key.description, valuesOf(key)].filter(Boolean).join(' ');
}

/** The values as a sentence; empty where the type has no list and no limits. */
function valuesOf({ enum: choices, minimum, maximum }: Key): string {
  if (choices?.length === 1) return `Only ${code(JSON.stringify(choices[0]))}.`;
  if (choices) return `One of ${codes(choices.map(String))}.`;
  return maximum === undefined ? '' : `From ${minimum} to ${maximum.toLocaleString('en')}.`;
}

function defaultOf(key: Key, isRequired: boolean): string {
  if (isRequired) return 'required';
  return key.default === undefined ? 'none' : code(String(key.default));
}

/** The keys of an object and of the objects within it, such as `throttle.burst`. */
function flatten({ properties = {}, required = [] }: Key, prefix = ''): [string, Key, boolean][] {
  return Object.entries(properties).flatMap(([name, key]) =>
    key.properties && !key.required
      ? flatten(key, `${prefix}${name}.`)
      : [[`${prefix}${name}`, key, required.includes(name)] as [string, Key, boolean]],
  );
}

/** Keys with meaning and default. */
export function keyTable(key: Key): string {
  return table(
    ['Key', 'Meaning', 'Default'],
    flatten(key).map(([name, each, isRequired]) => [
      code(name),
      meaningOf(each),
      defaultOf(each, isRequired),
    ]),
  );
}

/** The keys of each scheme that `verify` offers. */
export function verifyTable({ verify }: Configuration): string {
  const rows = verify.flatMap(({ properties = {}, required = [] }) => {
    const scheme = properties.scheme?.const ?? '';
    const keys = Object.entries(properties).filter(([name]) => name !== 'scheme');
    return keys.length === 0
      ? [[code(scheme), 'none', '', '']]
      : keys.map(([name, key]) => [
          code(scheme),
          code(name),
          meaningOf(key),
          defaultOf(key, required.includes(name)),
        ]);
  });
  return table(['`scheme`', 'Key', 'Meaning', 'Default'], rows);
}

/** The keys of a connection, with the presets that take and require each. */
export function connectionTable(configuration: Configuration, pages: readonly Page[]): string {
  const { properties = {}, required = [] } = configuration.connection;
  const rows = Object.entries(properties).map(([name, key]) => {
    // The list of presets is the table of set-up guides.
    const meaning = name === 'crm' ? (key.description ?? '') : meaningOf(key);
    if (required.includes(name)) return [code(name), meaning, 'all', 'all'];
    const takers = pages.filter(({ crm }) => settingsOf(configuration, crm).includes(name));
    return [code(name), meaning, takersText(takers, pages), requirersText(configuration, pages, name)];
  });
  return table(['Key', 'Meaning', 'Taken by', 'Required by'], rows);
}

/** `webhooks except …; buses`, or a list where that is shorter. */
function takersText(takers: readonly Page[], pages: readonly Page[]): string {
  const groups = { webhooks: pages.filter(isWebhook), buses: pages.filter((page) => !isWebhook(page)) };
  if (takers.length === pages.length) return 'all';
  return Object.entries(groups)
    .flatMap(([group, members]) => {
      const taking = members.filter((page) => takers.includes(page));
      const others = members.filter((page) => !takers.includes(page));
      if (taking.length === 0) return [];
      if (others.length === 0) return [group];
      const links = (list: readonly Page[]) => list.map((page) => nameLink(page, REFERENCE)).join(', ');
      return [others.length < taking.length ? `${group} except ${links(others)}` : links(taking)];
    })
    .join('; ');
}

function isWebhook({ preset }: Page): boolean {
  return preset.bus === undefined;
}

function requirersText(configuration: Configuration, pages: readonly Page[], name: string): string {
  return pages
    .flatMap((page) => {
      const need = needOf(configuration, page, name);
      return need === '' ? [] : [`${nameLink(page, REFERENCE)}${need === 'required' ? '' : ` (${need})`}`];
    })
    .join(', ');
}

/** Whether a preset requires a key: `required`, `or …` where another key does as well, or empty. */
function needOf(configuration: Configuration, { crm, preset }: Page, name: string): string {
  const setting = name as Setting;
  if (requiredOf(configuration, crm).includes(name)) return 'required';
  // The schema leaves out what finishedWhen may replace.
  if (preset.requires.includes(setting)) return 'or `finishedWhen`';
  const alternatives = preset.requiresOneOf ?? [];
  return alternatives.includes(setting) ? `or ${codes(alternatives.filter((each) => each !== setting))}` : '';
}

/** The settings of one preset, for its page. */
export function settingsTable(configuration: Configuration, page: Page): string {
  const { properties = {} } = configuration.connection;
  const choices = choicesOf(page, chosenSchemes(configuration));
  const rows = settingsOf(configuration, page.crm).map((name) => {
    const meaning = meaningOf(properties[name] ?? {});
    const schemes = name === 'verify' ? ` Schemes: ${codes(choices)}.` : '';
    return [code(name), `${meaning}${schemes}`, presetDefault(configuration, page, name)];
  });
  const reference = `${linkTo(REFERENCE, page.file)}#connectionsname`;
  return [
    'Besides `crm` and `polyai`, a connection with this preset takes the keys below.',
    `[Configuration](${reference}) says more about each key.${finishedText(page)}`,
    '',
    table(['Key', 'Meaning', 'Default'], rows),
  ].join('\n');
}

function finishedText({ facts: { finished }, preset: { takes, requires } }: Page): string {
  const settings = (['finishedWhen', 'finishedValues'] as const).filter((each) => takes.includes(each));
  if (settings.length === 0 || requires.some((each) => settings.some((setting) => setting === each)))
    return '';
  return `\nWithout ${settings.map(code).join(' and ')}, finished means: ${finished}.`;
}

function presetDefault(configuration: Configuration, page: Page, name: string): string {
  const need = needOf(configuration, page, name);
  if (need !== '') return need === 'required' ? need : `required, ${need}`;
  const { verify } = page.preset;
  const defaults: Record<string, string | undefined> = {
    verify: typeof verify === 'object' ? code(verify.scheme) : undefined,
    conversationId: page.facts.id,
    sharedId: page.facts.shared,
  };
  return defaults[name] ?? '';
}
