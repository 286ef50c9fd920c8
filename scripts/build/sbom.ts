import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

type Sbom = { serialNumber: string; metadata: { timestamp: string; component: { name: string } } };

/**
 * The CycloneDX software bill of materials of what is deployed or run, made by npm from the lock file. Its serial number
 * and its time follow from the content, so that the same commit gives the same file.
 *
 * @param root the repository's folder
 * @param time ISO 8601: the time of the release
 * @see https://docs.npmjs.com/cli/commands/npm-sbom
 */
export function createSbom(root: string, time: string): string {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm sbom failed:\n${stderr}`);
  const sbom: Sbom = JSON.parse(stdout);
  sbom.metadata.timestamp = time;
  // npm names it after the folder.
  sbom.metadata.component.name = 'polyai-chat-closer';
  sbom.serialNumber = '';
  sbom.serialNumber = serialOf(JSON.stringify(sbom));
  return `${JSON.stringify(sbom, null, 2)}\n`;
}

/** A UUID of version 8, whose bits are the content's hash. */
function serialOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${parts.join('-')}`;
}
