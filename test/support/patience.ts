/** How long a test waits for what must come: a busy machine may take its time, and nothing depends on when. */
export const patience = { timeout: 15_000 } as const;
