using System.Runtime.CompilerServices;
using MedMerge.Tensors;

namespace MedMerge.Tests;

internal static class TorchStart
{
    [ModuleInitializer]
    internal static void Start() => TorchRuntime.Start();
}
