namespace MedMerge.Grains;

/// <summary>The grain calls that are made over and over: every second to ask how work goes on, every step to ask for a gradient.</summary>
public static class RepeatedCalls
{
    /// <summary>As Orleans names their spans: interface and method.</summary>
    public static IReadOnlySet<string> Names { get; } = new HashSet<string>
    {
        $"{nameof(ISweepGrain)}/{nameof(ISweepGrain.StatusAsync)}",
        $"{nameof(ISweepGrain)}/{nameof(ISweepGrain.WakeAsync)}",
        $"{nameof(ITrialGrain)}/{nameof(ITrialGrain.RunAsync)}",
        $"{nameof(IStageExecution)}/{nameof(IStageExecution.RunAsync)}",
        $"{nameof(IKernelWeightShardGrain)}/{nameof(IKernelWeightShardGrain.GradientAsync)}",
        $"{nameof(IFineTuneShardGrain)}/{nameof(IFineTuneShardGrain.PutAsync)}",
        $"{nameof(IFineTuneShardGrain)}/{nameof(IFineTuneShardGrain.GradientAsync)}",
        $"{nameof(IFineTuneShardGrain)}/{nameof(IFineTuneShardGrain.GetAsync)}",
        $"{nameof(IClusterInfoGrain)}/{nameof(IClusterInfoGrain.ListAsync)}",
        $"{nameof(INodeGrain)}/{nameof(INodeGrain.StateAsync)}",
    };
}
