import { delimiter, join } from 'node:path';
import { ChatCloserError } from '../functions/error.ts';
import { DEFAULT_STACK } from '../infra/config/load.ts';
import { ROOT } from '../infra/root.ts';

/** An error of the local run whose message says what to fix. It is printed without a stack trace. */
export class LocalRunError extends ChatCloserError {
  override name = 'LocalRunError';
}

export const LOCAL_REGION = 'us-east-1';
/** The account that emulators give to dummy keys. */
export const LOCAL_ACCOUNT = '000000000000';
export const LOCAL_ENVIRONMENT = `aws://${LOCAL_ACCOUNT}/${LOCAL_REGION}`;

/** Variables that AWS's tools, the CDK, emulators of AWS or the programs they start would obey. */
const REMOVED = new RegExp(
  [
    '^(AWS|AMAZON|CDK|MINISTACK|LOCALSTACK|LAMBDA|GATEWAY|BIND|USE_SSL|AUTH)(_|$)',
    '^(SERVICES|PERSIST_STATE|STATE_DIR|S3_PERSIST|EDGE_PORT)$',
    '^(NODE_OPTIONS|PYTHONHOME|PYTHONPATH)$',
    '^(HTTPS?|ALL)_PROXY$',
  ].join('|'),
  'i',
);

/**
 * Makes the environment in which everything local runs. It has none of the shell's AWS profiles, keys and endpoints,
 * and every AWS client can reach only the given endpoint.
 *
 * @param folder where tools may cache files
 */
export function isolatedEnvironment(endpoint: string, folder: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !REMOVED.test(name));
  return {
    ...Object.fromEntries(inherited),
    PATH: [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter),
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: LOCAL_REGION,
    AWS_DEFAULT_REGION: LOCAL_REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(folder, 'no-aws-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'no-aws-credentials'),
    CDK_HOME: folder,
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    TMPDIR: folder,
  };
}

/**
 * A command of this project as a line for another terminal, asking the local AWS and none of the shell's accounts.
 *
 * @param environment the isolated one
 */
export function commandLine(environment: NodeJS.ProcessEnv, stackName: string, command: string): string {
  const names = ['AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
  const set = names.map((name) => `${name}=${environment[name]}`).join(' ');
  const stack = stackName === DEFAULT_STACK ? '' : ` --stack ${stackName}`;
  return `env -u AWS_PROFILE ${set} npx --no chat-closer ${command}${stack}`;
}

/** Replaces this process's environment, so that its own SDK clients are isolated too. */
export function isolate(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) {
    if (!(name in environment)) delete process.env[name];
  }
  Object.assign(process.env, environment);
}

/**
 * @returns the endpoint without a trailing slash
 * @throws {LocalRunError} when the address is not one of this machine
 */
export function requireLoopback(endpoint: string): string {
  if (isLoopback(endpoint)) return endpoint.replace(/\/+$/, '');
  throw new LocalRunError(
    `AWS_ENDPOINT_URL is ${JSON.stringify(endpoint)}, which is not an address of this machine. The local run uses loopback addresses only. Unset it, or set one such as http://localhost:4566.`,
  );
}

/** Whether the address is an http or https address of this machine. */
export function isLoopback(address: string): boolean {
  const { hostname, protocol } = URL.canParse(address) ? new URL(address) : { hostname: '', protocol: '' };
  return /^https?:$/.test(protocol) && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
