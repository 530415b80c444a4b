/**
 * The browser's session, as auth-proxy keeps it. Written by hand: its answers carry a CSRF token in place of
 * the tokens that auth-service gives to programs, so the generated client does not describe them.
 */

import { queryOptions } from "@tanstack/react-query";
import { request, setCsrfRenewal, setCsrfToken } from "@/api/http";
import { isProblem } from "@/api/problem";

export type SignedIn = {
  id: string;
  email: string;
  name: string;
  is_admin: boolean;
  created_at: string;
  session_id: string | null;
};

type SessionAnswer = { user: SignedIn; csrf_token: string };

async function take(answer: Promise<SessionAnswer>): Promise<SignedIn> {
  const { user, csrf_token } = await answer;
  setCsrfToken(csrf_token);
  return user;
}

function post(body: unknown): RequestInit {
  return { method: "POST", body: JSON.stringify(body) };
}

/** Who is signed in; `null` when nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
  queryFn: async (): Promise<SignedIn | null> => {
    try {
      return await take(request<SessionAnswer>("/auth/me"));
    } catch (error) {
      if (isProblem(error) && error.status === 401) return null;
      throw error;
    }
  },
});

setCsrfRenewal(() => take(request<SessionAnswer>("/auth/me")));

export function login(credentials: { email: string; password: string }): Promise<SignedIn> {
  return take(request<SessionAnswer>("/auth/login", post(credentials)));
}

export function register(person: {
  email: string;
  password: string;
  name: string;
}): Promise<SignedIn> {
  return take(request<SessionAnswer>("/auth/register", post(person)));
}

export async function logout(): Promise<void> {
  await request<void>("/auth/logout", post({}));
  setCsrfToken(null);
}

export function changePassword(change: {
  current_password: string;
  new_password: string;
}): Promise<void> {
  return request<void>("/auth/change-password", post(change));
}

/** Always answers 202, so that nobody learns which addresses have an account. */
export function requestPasswordReset(email: string): Promise<void> {
  return request<void>("/auth/password-reset", post({ email }));
}

export function confirmPasswordReset(token: string, newPassword: string): Promise<void> {
  return request<void>("/auth/password-reset/confirm", post({ token, new_password: newPassword }));
}
