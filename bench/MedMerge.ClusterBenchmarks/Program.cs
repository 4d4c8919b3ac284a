using System.Globalization;
using MedMerge.ClusterBenchmarks;

// By hand, not by BenchmarkDotNet: its compiler packages and those of Orleans exclude each other.
if (args is [SiloOfTrials.Mode, ..])
{
    await EmptyTrials.RunSiloAsync();
    return;
}
if (args is ["trials", var trials])
{
    Console.WriteLine(await EmptyTrials.MeasureAsync(int.Parse(trials, CultureInfo.InvariantCulture)));
    return;
}
if (args is ["telemetry"])
{
    Console.WriteLine(await TelemetryCost.MeasureAsync(rounds: 20));
    return;
}
Console.WriteLine(await Orchestration.MeasureAsync(rounds: 15));
Console.WriteLine(await TelemetryCost.MeasureAsync(rounds: 20));
Console.WriteLine(BytesPerStep.Table());
