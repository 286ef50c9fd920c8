// What the package exports. `ChatCloser` is for a stack of your own, `ChatCloserStack` for one that has nothing else.
export { ChatCloser, type ChatCloserProps, type IChatCloser } from './chat-closer.ts';
export { type Configuration, ConfigurationError, type Fault, loadConfiguration } from './config/load.ts';
export type { ConnectionsFile } from './config/schema.ts';
export { ChatCloserStack, type ChatCloserStackProps } from './stack.ts';
