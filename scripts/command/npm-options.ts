/** npm has an option of this name itself, so that its variable proves no mistake. */
const NPMS_OWN = ['yes', 'help'];

/**
 * Refuses to run where npm kept an option for itself: without two dashes before them, `npm start --once` and
 * `npm run redrive --dry-run` reach the program without options, and it would do something else.
 *
 * @param command as it is typed, such as `npm run redrive`
 * @param options the names of the program's options, without dashes
 * @param environment npm leaves such an option in it as `npm_config_<name>`
 * @throws {Error} naming the option, and how to give it
 * @see https://docs.npmjs.com/cli/using-npm/config
 */
export function requireDashes(
  command: string,
  options: readonly string[],
  environment: NodeJS.ProcessEnv,
): void {
  for (const option of options) {
    if (NPMS_OWN.includes(option)) continue;
    const value = environment[`npm_config_${option.replaceAll('-', '_')}`];
    if (value === undefined) continue;
    const given = `--${option}${value === 'true' || value === '' ? '' : ` ${value}`}`;
    throw new Error(`npm took --${option} for itself. Put two dashes first: ${command} -- ${given}`);
  }
}
