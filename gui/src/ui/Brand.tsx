export function Brand() {
  return (
    <a class="brand" href="/">
      <svg viewBox="0 0 32 32" class="brand-mark" aria-hidden="true">
        <rect width="32" height="32" rx="7" />
        <path d="M23.5 13.2A8.2 8.2 0 0 0 8.4 12.6M8.2 7.6v5.2h5.2M8.5 18.8a8.2 8.2 0 0 0 15.1.6M23.8 24.4v-5.2h-5.2" />
      </svg>
      Rankloop
    </a>
  );
}
