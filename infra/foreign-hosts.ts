import { Annotations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Configuration } from './config/load.ts';

const POLYAI = /\.platform\.polyai\.app$/;
const ZOHO = /(^|\.)zoho(\.[a-z]{2,3}){1,2}$/;

/**
 * Says at synth where keys go, and whose keys are trusted, if that is not the vendor. A merged pull request could
 * otherwise send PolyAI's keys anywhere without a word.
 */
export function warnOfForeignHosts(scope: Construct, { projects, connections }: Configuration): void {
  const warn = (id: string, text: string) =>
    Annotations.of(scope).addWarningV2(`polyai-chat-closer:${id}`, text);
  for (const [name, { baseUrl }] of Object.entries(projects)) {
    const { host, hostname } = new URL(baseUrl);
    if (POLYAI.test(hostname)) continue;
    warn(
      `baseUrl:${name}`,
      `polyai.${name}.baseUrl sends the project's keys to ${host}, which is not PolyAI's. Remove baseUrl unless you meant it.`,
    );
  }
  for (const [name, { jwksUrl }] of Object.entries(connections)) {
    if (jwksUrl === undefined) continue;
    const { host, hostname } = new URL(jwksUrl);
    if (ZOHO.test(hostname)) continue;
    warn(
      `jwksUrl:${name}`,
      `connections.${name}.jwksUrl trusts the keys that ${host} publishes, which is not the vendor's. Remove jwksUrl unless you meant it.`,
    );
  }
}
