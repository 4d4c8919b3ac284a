using System.Globalization;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using MedMerge.Benchmarks;

if (args is ["architectures", .. var architectures])
{
    ArchitectureTable.Write(architectures);
    return;
}

if (args is ["steps", .. var networks])
{
    await WeightStepTable.WriteAsync(networks);
    return;
}

if (args is ["read", var folder, var size, var copies])
{
    ImageReading.Write(folder, int.Parse(size, CultureInfo.InvariantCulture), int.Parse(copies, CultureInfo.InvariantCulture));
    return;
}

// In this process: a generated project would copy libtorch's 500 MB for every run.
var config = DefaultConfig.Instance
    .AddJob(Job.Default
        .WithToolchain(new InProcessNoEmitToolchain(TimeSpan.FromMinutes(30), logOutput: false))
        .WithWarmupCount(2)
        .WithIterationCount(8)
        .WithInvocationCount(1)
        .WithUnrollFactor(1))
    .WithOptions(ConfigOptions.DisableOptimizationsValidator); // TorchSharp ships an unoptimised assembly
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
