/** Something that an operator should look at. */
export interface Finding {
  readonly isBad: boolean;
  readonly text: unknown;
  /** Stands behind the text, and may have links of its own. */
  readonly reason?: unknown;
  /** The section that shows more. */
  readonly section: string;
}
