import { ConfigurationError, loadConfiguration } from '../infra/config/load.ts';
import { type Change, changesBetween } from '../operate/diff.ts';
import { OperatorError } from '../operate/error.ts';
import { searchLines } from '../operate/lines.ts';
import { type Context, defineCommand } from './command.ts';

export default defineCommand({
  name: 'diff',
  about:
    'Compares the deployed configuration with the file, and says in words what would change for traffic. It changes nothing.',
  examples: ['npx --no chat-closer diff', 'npx --no chat-closer diff --config next.json'],
  needs: { stack: true, span: '7d', file: true },
  async run(context) {
    const { configuration } = await context.deployment();
    const next = load(context.file, context.stack);
    const gone = Object.keys(configuration.connections).filter((name) => !next.connections[name]);
    const deliveries = gone.length > 0 ? await countDeliveries(gone, context) : {};
    const changes = changesBetween(configuration, next, deliveries);
    return { json: { changes }, text: toText(changes, context), isWell: true };
  },
});

function load(file: string, stack: string) {
  try {
    return loadConfiguration(file, stack);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new OperatorError(error.message);
    throw error;
  }
}

async function countDeliveries(names: readonly string[], context: Context): Promise<Record<string, number>> {
  const { receive, event } = (await context.deployment()).logGroups;
  const { progress, signal, span, aws } = context;
  const search = { ...span, groups: [receive, event], texts: names };
  const { lines } = await searchLines(search, { logs: aws.logs, progress, signal });
  const counts: Record<string, number> = {};
  for (const { type, connection } of lines) {
    if (type === 'delivery' && typeof connection === 'string')
      counts[connection] = (counts[connection] ?? 0) + 1;
  }
  return counts;
}

function toText(changes: readonly Change[], { style, file }: Context): string {
  if (changes.length === 0)
    return `${style.good('Nothing changes for traffic.')} The deployed configuration is that of ${file}.`;
  return [...Map.groupBy(changes, ({ subject }) => subject)]
    .map(([subject, own]) => [style.bold(subject), ...own.map(({ sentence }) => `  ${sentence}`)].join('\n'))
    .join('\n\n');
}
