/** What depends on a peer. */
export interface PeerListener {
  /** There is a new session, or the peer can be reached again. */
  onUsable(): void;
  /** The peer is forgotten. */
  onClose(): void;
}
