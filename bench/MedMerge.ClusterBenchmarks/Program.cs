using MedMerge.ClusterBenchmarks;

// By hand, not by BenchmarkDotNet: its compiler packages and those of Orleans exclude each other.
Console.WriteLine(await Orchestration.MeasureAsync(rounds: 15));
Console.WriteLine(BytesPerStep.Table());
