import { readFileSync, writeFileSync } from 'node:fs';

type Resource = { Type: string; Properties?: { Metrics?: unknown } };

/** Stands where a resource that was taken out is named, such as in the dashboard's list of alarms. */
const ABSENT = 'not-in-the-emulator';

/**
 * Takes out of the synthesised template what MiniStack refuses and what would fail the whole deployment: saved queries,
 * composite alarms, and alarms on more than one metric. None of them takes part in closing a chat. Tests read them from
 * the template instead and evaluate them. The stack itself knows nothing of the emulator.
 *
 * @returns the logical ids that were taken out
 */
export function removeRefused(templateFile: string): string[] {
  const template = JSON.parse(readFileSync(templateFile, 'utf8'));
  const resources: [string, Resource][] = Object.entries(template.Resources);
  const refused = resources.filter(([, resource]) => isRefused(resource)).map(([id]) => id);
  const kept = Object.fromEntries(resources.filter(([id]) => !refused.includes(id)));
  const text = JSON.stringify({ ...template, Resources: kept }, (_key, value) =>
    refused.includes(namedBy(value)) ? ABSENT : value,
  );
  writeFileSync(templateFile, text);
  return refused;
}

function isRefused({ Type, Properties }: Resource): boolean {
  if (Type === 'AWS::Logs::QueryDefinition' || Type === 'AWS::CloudWatch::CompositeAlarm') return true;
  return Type === 'AWS::CloudWatch::Alarm' && Properties?.Metrics !== undefined;
}

/** The logical id that an intrinsic function names; empty for any other value. */
function namedBy(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: string[] };
  return Ref ?? attribute?.[0] ?? '';
}
