/** Enough attempts to outlast AWS's throttling: an operator can wait, and no caller times out. */
export const RETRYING = { maxAttempts: 8 };
