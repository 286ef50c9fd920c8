import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

type Sbom = {
  serialNumber: string;
  metadata: { timestamp: string; component: { name: string; 'bom-ref': string } };
  components: { name: string; 'bom-ref': string }[];
  dependencies: { ref: string; dependsOn: string[] }[];
};

/**
 * The CycloneDX software bill of materials of packages and all that they depend on, made by npm from the lock file. npm's
 * own choice of what is not for development leaves out packages that both kinds need, so it is made here. The serial number
 * and the time follow from the content, so that the same commit gives the same file.
 *
 * @param root the repository's folder
 * @param names the packages
 * @param time ISO 8601: the time of the release
 * @see https://docs.npmjs.com/cli/commands/npm-sbom
 */
export function createSbom(root: string, names: readonly string[], time: string): string {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm sbom failed:\n${stderr}`);
  const sbom: Sbom = JSON.parse(stdout);
  keepReachable(sbom, names);
  sbom.metadata.timestamp = time;
  // npm names it after the folder.
  sbom.metadata.component.name = 'polyai-chat-closer';
  sbom.serialNumber = '';
  sbom.serialNumber = serialOf(JSON.stringify(sbom));
  return `${JSON.stringify(sbom, null, 2)}\n`;
}

function keepReachable(sbom: Sbom, names: readonly string[]): void {
  const nameOf = (ref: string) => ref.slice(0, ref.lastIndexOf('@'));
  const own = sbom.metadata.component['bom-ref'];
  const below = new Map(sbom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const kept = new Set<string>();
  const visit = (ref: string): void => {
    if (kept.has(ref)) return;
    kept.add(ref);
    for (const each of below.get(ref) ?? []) visit(each);
  };
  const direct = (below.get(own) ?? []).filter((ref) => names.includes(nameOf(ref)));
  for (const ref of direct) visit(ref);
  sbom.components = sbom.components.filter((each) => kept.has(each['bom-ref']));
  sbom.dependencies = sbom.dependencies
    .filter(({ ref }) => ref === own || kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: ref === own ? direct : dependsOn }));
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
