import { emitKeypressEvents } from 'node:readline';

/**
 * Calls `onKey` for every key that is pressed on a terminal. Ctrl-C still ends the program.
 *
 * @returns gives the terminal back
 */
export function readKeys(onKey: (key: string) => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  const onKeypress = (text: string | undefined, key: { ctrl?: boolean; name?: string }) => {
    // In raw mode the terminal sends no signal.
    if (key.ctrl && key.name === 'c') process.emit('SIGINT');
    else onKey(text ?? '');
  };
  stdin.on('keypress', onKeypress);
  return () => {
    stdin.off('keypress', onKeypress);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
