using System.Globalization;
using MedMerge.Statistics;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>A learning rate that was tried.</summary>
/// <param name="Best">The validation of its best epoch; null where training diverged.</param>
internal sealed record LearningRateTry(double LearningRate, Validation? Best);

/// <summary>The learning rate that was chosen.</summary>
/// <param name="Tries">All that were tried, from the lowest.</param>
internal sealed record LearningRateChoice(double LearningRate, IReadOnlyList<LearningRateTry> Tries);

/// <summary>
/// Chooses the learning rate of a fine-tuning on the validation split. Every method gets the same tries, because one rate for all would
/// suit some methods better than others. A rate at which training diverges is not chosen; that it does at all of them is an error.
/// </summary>
/// <param name="Tries">The same fine-tuning at each rate, from the lowest.</param>
internal sealed record ChooseRateStage(IReadOnlyList<FineTuneStage> Tries, Metric Metric) : Stage
{
    /// <inheritdoc />
    public override string Name => "choose rate";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => Tries;

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    protected override object Settings => new { Metric };

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation)
    {
        var tries = Tries
            .Zip(inputs, (stage, output) => new LearningRateTry(stage.Training.LearningRate, stage.FindBest(output, Metric)))
            .ToList();
        var best = ChooseBest(tries);
        foreach (var diverged in tries.Where(tried => tried.Best is null))
        {
            context.OnWarning(FormattableString.Invariant(
                $"Training diverged at learning rate {diverged.LearningRate}, which is not chosen."));
        }
        var choice = new LearningRateChoice(tries[best].LearningRate, tries);
        return Task.FromResult(new StageOutput(new Dictionary<string, byte[]>
        {
            [StageFiles.Model] = inputs[best][StageFiles.Model],
            [StageFiles.Source] = inputs[best][StageFiles.Source],
            [StageFiles.History] = inputs[best][StageFiles.History],
            [StageFiles.LearningRate] = StageFiles.Write(choice),
        }));
    }

    /// <returns>The index of the one that is best on validation; of equal ones the lowest rate.</returns>
    private int ChooseBest(IReadOnlyList<LearningRateTry> tries)
    {
        var best = -1;
        for (var i = 0; i < tries.Count; i++)
        {
            if (tries[i].Best is not { } found) continue;
            if (best < 0 || found.IsBetterThan(tries[best].Best!.Value, Metric)) best = i;
        }
        if (best >= 0) return best;
        var rates = string.Join(", ", tries.Select(tried => tried.LearningRate.ToString(CultureInfo.InvariantCulture)));
        throw new ComputationException($"Training diverged at every learning rate that was tried ({rates}). Lower fineTune.learningRate.");
    }
}
