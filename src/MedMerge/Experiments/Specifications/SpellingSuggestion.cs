namespace MedMerge.Experiments.Specifications;

/// <summary>Finds what was probably meant.</summary>
internal static class SpellingSuggestion
{
    /// <summary>"; did you mean 'x'?" for the nearest of <paramref name="known"/> where it is near enough, otherwise nothing.</summary>
    public static string Suggest(string text, IEnumerable<string> known)
    {
        var best = known.Distinct().Select(word => (word, distance: Distance(text.ToLowerInvariant(), word.ToLowerInvariant()))).OrderBy(pair => pair.distance).FirstOrDefault();
        return best.word is not null && best.distance <= Math.Max(2, text.Length / 2) ? $"; did you mean '{best.word}'?" : "";
    }

    /// <summary>Insertions, deletions and replacements between two words (Levenshtein 1966).</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
