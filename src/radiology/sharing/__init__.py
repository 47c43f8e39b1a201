"""Links that open exactly one study or one report for whoever has them: made, opened, refused, listed, ended."""
