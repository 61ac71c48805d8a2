export function Loading({ what }: { what: string }) {
  return (
    <div class="empty" role="status">
      <span class="spinner" />
      <p>Loading {what}…</p>
    </div>
  );
}
