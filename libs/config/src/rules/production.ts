/** Whether a value of `NODE_ENV` asks for production, where what would only be warned about elsewhere is refused. */
export function isProduction(nodeEnv: string): boolean {
  return nodeEnv.trim().toLowerCase() === 'production';
}
