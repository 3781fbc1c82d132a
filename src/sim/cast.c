/*
 * cast: names with accents, apostrophes, other scripts and characters that HTML, JSON and chat
 * markup give a meaning, because real ones have them.
 */
#include "sim/cast.h"

#include <stddef.h>

const struct cast_user cast_users[CAST_USERS] = {
	{ "Ada Whitfield", "ada.whitfield@example.com", "engineering" },
	{ "Zoë Müller", "zoe.mueller@example.com", "marketing" },
	{ "Liam O'Brien", "liam.obrien@example.com", "sales" },
	{ "Łukasz Wójcik", "lukasz.wojcik@example.com", "engineering" },
	{ "李娜", "li.na@example.com", "research" },
	{ "Fatima El-Amin", "fatima.elamin@example.com", "legal" },
	{ "José Núñez", "jose.nunez@example.com", "finance" },
	{ "Priya Raman", "priya.raman@example.com", "engineering" },
	{ "Sven Åkesson", "sven.akesson@example.com", "support" },
	{ "Chidi Okafor", "chidi.okafor@example.com", "sales" },
	{ "Νίκος Παππάς", "nikos.pappas@example.com", "research" },
	{ "Grace Hollis", "grace.hollis@example.com", "human resources" },
	{ "Mateo Silva", "mateo.silva@example.com", "marketing" },
	{ "Yuki Tanaka", "yuki.tanaka@example.com", "engineering" },
	{ "Anna-Lena Roth", "anna-lena.roth@example.com", "finance" },
	{ "Дарья Белова", "darya.belova@example.com", "support" },
	{ "Tom \"Ace\" Garner", "tom.garner@example.com", "sales" },
	{ "Ingrid Dahl", "ingrid.dahl@example.com", "legal" },
	{ "Omar Haddad", "omar.haddad@example.com", "engineering" },
	{ "Beatriz Costa", "beatriz.costa@example.com", "R&D" },
	{ "Noah Kim", "noah.kim@example.com", "R&D" },
	{ "Elif Yılmaz", "elif.yilmaz@example.com", "marketing" },
	{ "Hannah Price", "hannah.price@example.com", "human resources" },
	{ "Raj Patel", "raj.patel@example.com", "support" },
};

const struct cast_model cast_models[CAST_MODELS] = {
	{ "gpt-4", "openai" },
	{ "gpt-4o", "openai" },
	{ "gpt-4o-mini", "openai" },
	{ "claude-3-5-sonnet", "anthropic" },
	{ "claude-3-opus", "anthropic" },
	{ "gemini-1.5-pro", "google" },
	{ "mistral-large", "mistral" },
	{ "llama-3.1-70b", "meta" },
	{ "command-r-plus", "cohere" },
	{ "deepseek-chat", "deepseek" },
};

const struct cast_policy cast_policies[CAST_POLICIES] = {
	{ "Frontier models for engineering", "{model} usage by non-engineering user",
	  "{user} ({department}) sent {n} tokens to {model}. The policy \"{policy}\" reserves it "
	  "for engineering.",
	  "alert" },
	{ "No customer data in prompts", "Customer data in a prompt to {model}",
	  "A prompt of {user} to {provider} held what looks like {n} customer records.",
	  "block" },
	{ "Source code stays inside", "Source code pasted into {model}",
	  "{user} pasted {n} lines of a private repository into {model}.", "alert" },
	{ "Approved providers", "Unapproved provider: {provider}",
	  "{user} ({department}) called {model} at {provider}, which is not on the list of "
	  "approved providers.",
	  "block" },
	{ "Secrets in prompts", "API key found in a prompt to {model}",
	  "A prompt of {user} held a credential. Rotate it & tell its owner.\nTokens: {n}",
	  "block" },
	{ "Agents need approval", "Agent run without approval by {user}",
	  "An agent of {department} made {n} calls to {model} without an approval.",
	  "require_approval" },
	{ "Prompts < 32k tokens", "Prompt of {n} tokens to {model}",
	  "{user} sent a prompt of {n} tokens; \"{policy}\" allows fewer than 32,000.",
	  "alert" },
	{ "Office hours", "{model} used outside office hours",
	  "{user} ({department}) used {model} at night: {n} tokens.", "alert" },
};

const struct cast_budget cast_budgets[CAST_BUDGETS] = {
	{ "Engineering, monthly", "engineering", 12000, "USD", "monthly" },
	{ "Marketing, monthly", "marketing", 2500, "EUR", "monthly" },
	{ "Sales, weekly", "sales", 400, "USD", "weekly" },
	{ "Research, quarterly", "research", 900000, "JPY", "quarterly" },
	{ "Support, daily", "support", 60, "EUR", "daily" },
	{ "Whole organisation", NULL, 250000, "USD", "annual" },
};
