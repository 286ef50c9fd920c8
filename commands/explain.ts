import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { secretContent } from '../functions/schemes/index.ts';
import { ConfigurationError, loadConfiguration } from '../infra/config/load.ts';
import { OperatorError } from '../operate/error.ts';
import { parseCapture } from '../operate/explain/capture.ts';
import { type Explanation, explainDelivery } from '../operate/explain/explain.ts';
import { type Subject, subjectOf } from '../operate/explain/subject.ts';
import { defineCommand } from './command.ts';
import type { Style } from './style.ts';

type Options = { secretFile?: string; url?: string; showBody?: boolean };

export default defineCommand<Options>({
  name: 'explain',
  takes: [
    ['<connection>', 'a connection of the configuration, or a CRM such as zendesk'],
    [
      '[file]',
      'the captured delivery: its body, or its headers, an empty line and its body (default: standard input)',
    ],
  ],
  about: 'Works offline: nothing leaves this machine, and no AWS account is needed.',
  examples: [
    'npx --no chat-closer explain zendesk-support delivery.txt',
    'npx --no chat-closer explain zendesk < body.json',
  ],
  options: [
    new Option(
      '--secret-file <file>',
      'the connection’s secret, to verify the signature: JSON as stored, or the bare value',
    ),
    new Option('--url <address>', 'the address that the CRM called, where the signature covers it'),
    new Option('--show-body', 'show the signed bytes, which may hold a customer’s text'),
  ],
  needs: { file: true },
  async run(context, [name = '', file], { secretFile, url, showBody = false }) {
    const subject = subjectOf(name, readConfiguration(context.file));
    const capture = parseCapture(file === undefined ? readStandardInput(context.isTerminal) : readText(file));
    const secret = secretFile === undefined ? undefined : readSecret(readText(secretFile), subject);
    const explanation = await explainDelivery(subject, capture, {
      ...(secret && { secret }),
      ...(url && { url }),
      showBody,
      now: context.now(),
    });
    return {
      json: explanation,
      text: toText(subject, explanation, context.style),
      isWell: explanation.would === 'close',
    };
  },
});

function readConfiguration(file: string) {
  if (!existsSync(file)) return undefined;
  try {
    return loadConfiguration(file);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new OperatorError(error.message);
    throw error;
  }
}

function readStandardInput(isTerminal: boolean): string {
  if (isTerminal) throw new OperatorError('Name a file with the captured delivery, or pipe it in.', 2);
  return readFileSync(0, 'utf8');
}

function readText(file: string): string {
  const path = resolve(process.env.INIT_CWD ?? process.cwd(), file);
  if (!existsSync(path)) throw new OperatorError(`There is no file ${file} (looked for ${path}).`, 2);
  return readFileSync(path, 'utf8');
}

/** A secret as it is stored, or the bare value of its one field. */
function readSecret(text: string, { connection }: Subject): Record<string, unknown> {
  const plain = text.trim();
  try {
    const value = JSON.parse(plain);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // It is the bare value.
  }
  const content = secretContent(connection.verify.scheme);
  return content === 'none' ? {} : { [content.field]: plain };
}

function toText({ name, isPreset }: Subject, found: Explanation, style: Style): string {
  const { steps, would, proposal, verified } = found;
  const mark = (ok: boolean | null) =>
    ok === null ? style.warning('?') : ok ? style.good('✓') : style.bad('✗');
  const would_ = {
    close: style.good('close the chat'),
    ignore: style.bad('ignore it'),
    refuse: style.bad('refuse it'),
  };
  return [
    ...(isPreset
      ? [style.dim(`Read with the settings of the preset’s example. For your own, name a connection.`)]
      : []),
    ...steps.map(({ step, ok, sentence }) => `${mark(ok)} ${step}: ${sentence}`),
    `${name} would ${would_[would]}${verified === null ? ', if the delivery is verified' : ''}.`,
    ...(proposal
      ? [
          '',
          'A value that looks like a conversation id is at another place. Try in the configuration:',
          `  "conversationId": ${JSON.stringify(proposal.conversationId)}`,
        ]
      : []),
  ].join('\n');
}
