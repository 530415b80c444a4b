"""Who people are and what they may do: users, sessions, tokens, projects, members, audit."""
