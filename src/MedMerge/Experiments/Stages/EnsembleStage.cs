using System.Numerics.Tensors;
using MedMerge.Statistics;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>The answers of several models together: the mean of their logits.</summary>
/// <param name="Members">The <see cref="EvaluateStage"/> of each model.</param>
internal sealed record EnsembleStage(IReadOnlyList<Stage> Members) : Stage
{
    /// <inheritdoc />
    public override string Name => "ensemble";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => Members;

    /// <inheritdoc />
    protected override object Settings => new { };

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation)
    {
        var members = inputs.Select(input => StageFiles.Read<HeldOutPredictions>(input, StageFiles.Predictions)).ToList();
        var combined = new HeldOutPredictions(
            Combine([.. members.Select(member => member.Validation)]),
            Combine([.. members.Select(member => member.Test)]));
        return Task.FromResult(new StageOutput(new Dictionary<string, byte[]>
        {
            [StageFiles.Predictions] = StageFiles.Write(combined.WithThresholds()),
        }));
    }

    /// <summary>
    /// A softmax of mean logits is the members' geometric mean, scaled to a sum of 1, so their probabilities are enough.
    /// </summary>
    internal static Predictions Combine(IReadOnlyList<Predictions> members)
    {
        var first = members[0];
        if (first.IsMultiLabel) return CombineLabels(members);
        var probabilities = new double[first.Probabilities.Length];
        for (var image = 0; image < first.Count; image++)
        {
            var row = probabilities.AsSpan(image * first.Classes, first.Classes);
            for (var c = 0; c < row.Length; c++)
                row[c] = members.Average(member => Scoring.LogOf(member.Row(image)[c]));
            var largest = TensorPrimitives.Max<double>(row);
            var sum = 0.0;
            for (var c = 0; c < row.Length; c++)
            {
                row[c] = Math.Exp(row[c] - largest);
                sum += row[c];
            }
            for (var c = 0; c < row.Length; c++) row[c] /= sum;
        }
        return first with { Probabilities = probabilities };
    }

    private static Predictions CombineLabels(IReadOnlyList<Predictions> members)
    {
        var probabilities = new double[members[0].Probabilities.Length];
        for (var i = 0; i < probabilities.Length; i++)
        {
            var logit = members.Average(member => Scoring.LogOf(member.Probabilities[i]) - Scoring.LogOf(1 - member.Probabilities[i]));
            probabilities[i] = 1 / (1 + Math.Exp(-logit));
        }
        return members[0] with { Probabilities = probabilities };
    }
}
