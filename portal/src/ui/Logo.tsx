type Props = { size?: number };

/** The mark: a trace above the bench. Decorative; the name stands beside it. */
export function Logo({ size = 24 }: Props) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0b646b" />
      <path d="M7 25h18" stroke="#8fd3d4" strokeWidth="2.5" strokeLinecap="round" />
      <path
        d="M7 19.5c3 0 3.2-11 6-11s2.6 8 5.2 8 2.3-5 6.8-5"
        fill="none"
        stroke="#fff"
        strokeWidth="2.75"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
