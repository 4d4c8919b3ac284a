namespace MedMerge.Experiments.Specifications;

/// <summary>Suggests corrections of misspelt words.</summary>
internal static class SpellingSuggestion
{
    /// <summary>"; did you mean 'x'?" for the nearest of the known words if it is near enough, otherwise an empty text.</summary>
    public static string Suggest(string text, IEnumerable<string> known)
    {
        var nearest = known
            .Distinct()
            .Select(word => (Word: word, Distance: ComputeDistance(text.ToLowerInvariant(), word.ToLowerInvariant())))
            .OrderBy(candidate => candidate.Distance)
            .FirstOrDefault();
        var maxDistance = Math.Max(2, text.Length / 2);
        var isNear = nearest.Word is not null && nearest.Distance <= maxDistance;
        return isNear ? $"; did you mean '{nearest.Word}'?" : "";
    }

    /// <summary>Insertions, deletions and replacements between two words (Levenshtein 1966).</summary>
    private static int ComputeDistance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                var replacement = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), replacement);
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
