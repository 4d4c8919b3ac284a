namespace MedMerge.Statistics;

/// <summary>Predictions sorted once by each class's probability, so that the AUC of any resample takes linear time.</summary>
internal sealed class RocRanking
{
    private readonly Predictions _predictions;
    private readonly int[][] _order;

    /// <summary>Sorts.</summary>
    public RocRanking(Predictions predictions)
    {
        _predictions = predictions;
        // Two classes are one question: how class 1 ranks.
        int[] classes = predictions is { Classes: 2, IsMultiLabel: false } ? [1] : [.. Enumerable.Range(0, predictions.Classes)];
        Ranked = classes;
        _order = [.. classes.Select(c => Enumerable.Range(0, predictions.Count).OrderBy(i => predictions.Row(i)[c]).ToArray())];
    }

    private int[] Ranked { get; } // classes

    /// <summary>
    /// The probability that a random image of the class ranks above one of the rest, ties counting half (Mann and Whitney 1947), averaged
    /// over the classes for which both occur; NaN where none does.
    /// </summary>
    /// <param name="multiplicity">How often each image counts; once each where empty.</param>
    public double Auc(ReadOnlySpan<int> multiplicity = default)
    {
        var (sum, count) = (0.0, 0);
        for (var k = 0; k < Ranked.Length; k++)
        {
            var auc = OneAgainstRest(Ranked[k], _order[k], multiplicity);
            if (double.IsNaN(auc)) continue;
            sum += auc;
            count++;
        }
        return count == 0 ? double.NaN : sum / count;
    }

    /// <summary>That of one class against the rest; NaN where not both occur.</summary>
    public double Auc(int @class)
    {
        // Of two classes each ranks as the other, the other way round.
        var place = Math.Max(Array.IndexOf(Ranked, @class), 0);
        return OneAgainstRest(Ranked[place], _order[place], multiplicity: []);
    }

    private double OneAgainstRest(int @class, int[] order, ReadOnlySpan<int> multiplicity)
    {
        var (wins, below, positives) = (0.0, 0.0, 0.0);
        for (var start = 0; start < order.Length;)
        {
            // Walk through one group of equal probabilities at a time.
            var value = _predictions.Row(order[start])[@class];
            var (tiedPositives, tiedNegatives) = (0.0, 0.0);
            var end = start;
            for (; end < order.Length && (end == start || _predictions.Row(order[end])[@class] == value); end++)
            {
                var weight = multiplicity.IsEmpty ? 1 : multiplicity[order[end]];
                if (_predictions.Has(order[end], @class)) tiedPositives += weight;
                else tiedNegatives += weight;
            }
            wins += tiedPositives * (below + (tiedNegatives / 2));
            below += tiedNegatives;
            positives += tiedPositives;
            start = end;
        }
        return positives == 0 || below == 0 ? double.NaN : wins / (positives * below);
    }
}
