/** npm has options of these names, so their variables are no sign of a mistake. */
const NPM_OPTIONS = ['yes', 'help'];

/**
 * Refuses to run when npm took an option for itself. `npm start --once` and `npm run redrive --dry-run`, without two
 * dashes before the option, start the program without it, and it would do something else.
 *
 * @param command as it is typed, such as `npm run redrive`
 * @param options the names of the program's options, without dashes
 * @param environment npm leaves such an option here as `npm_config_<name>`
 * @throws {Error} naming the option, and how to type it
 * @see https://docs.npmjs.com/cli/using-npm/config
 */
export function requireDashes(
  command: string,
  options: readonly string[],
  environment: NodeJS.ProcessEnv,
): void {
  for (const option of options) {
    if (NPM_OPTIONS.includes(option)) continue;
    const value = environment[`npm_config_${option.replaceAll('-', '_')}`];
    if (value === undefined) continue;
    const given = `--${option}${value === 'true' || value === '' ? '' : ` ${value}`}`;
    throw new Error(`npm took --${option} for itself. Put two dashes first: ${command} -- ${given}`);
  }
}
