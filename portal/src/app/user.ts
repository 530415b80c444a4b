import { useQuery } from "@tanstack/react-query";
import { type SignedIn, sessionQuery } from "@/api/session";

const nobody: SignedIn = {
  id: "",
  email: "",
  name: "",
  is_admin: false,
  created_at: "1970-01-01T00:00:00Z",
  session_id: null,
};

/** Who is signed in. Between the end of a session and the sign-in page it is a person without rights. */
export function useUser(): SignedIn {
  return useQuery(sessionQuery).data ?? nobody;
}
