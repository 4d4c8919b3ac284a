using MedMerge.Testing;

namespace MedMerge.Storage.Tests;

public sealed class MemoryObjectStoreTests : ObjectStoreConformance
{
    protected override IObjectStore Store { get; } = new MemoryObjectStore(TimeProvider.System);
}
