using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Planning;

/// <summary>One method with one seed: a chain of stages that ends in predictions.</summary>
/// <param name="Number">From 1, in the order they run.</param>
/// <param name="Merge">The stage whose kernel weights and certificate belong to the trial; null where nothing is merged.</param>
/// <param name="Model">The stage that gives the final model.</param>
/// <param name="Evaluate">The last stage.</param>
public sealed record Trial(int Number, Method Method, ulong Seed, MergeStage? Merge, FineTuneStage Model, EvaluateStage Evaluate)
{
    /// <summary>All stages, each once, inputs before those that read them.</summary>
    public IReadOnlyList<Stage> Stages { get; } = InOrder(Evaluate);

    private static List<Stage> InOrder(Stage last)
    {
        var ordered = new List<Stage>();
        var seen = new HashSet<string>();
        Visit(last);
        return ordered;

        void Visit(Stage stage)
        {
            if (!seen.Add(stage.Key)) return;
            foreach (var input in stage.Inputs) Visit(input);
            ordered.Add(stage);
        }
    }
}
