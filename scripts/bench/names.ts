// The functions that the targets and the multiples are about, by the names that the tables give them.

export const EMPTY = 'empty handler';
export const FLOOR = 'hand-signed receiver';
export const SDK = 'receiver on the SDK’s clients';
export const ZENDESK = 'receiver, Zendesk alone';
