/** Made by apps/page/build from docs/operations.md. */
declare module 'virtual:error-codes' {
  export const ERROR_CODES: Readonly<
    Record<string, { readonly meaning: string; readonly remedy?: string }>
  >;
}
