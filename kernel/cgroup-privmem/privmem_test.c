// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocations that name a node, for tests.
 *
 * Below /sys/kernel/debug/privmem_test/ every file but three is one way for
 * kernel code to ask for memory.  Reading it asks for memory of the node in
 * `nid`, tells where it landed and gives it back:
 *
 *	N0 16		16 pages or objects on node 0, a line for each node
 *	error -12	got nothing, and why
 *
 * `held` is the other side: writing N makes it hold N uncharged pages of that
 * node as its owner would, by folio_alloc_node_private(), and 0 frees them;
 * reading it tells how many it has got.  `device_move` is a driver that moves a
 * page of the writer's, whose address is written, to memory of its own choice.
 *
 * Nothing here is special to the rest of the kernel: these are callers like
 * any driver.
 */
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/node_private.h>
#include <linux/pagevec.h>
#include <linux/percpu.h>
#include <linux/pagemap.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define NR_PAGES	16
#define NR_OBJECTS	256
#define QUIET		(__GFP_NOWARN | __GFP_NORETRY)
#define OBJECT_BYTES	520	/* a size that no other cache has */

static DEFINE_MUTEX(test_mutex);
static u32 test_nid;

/* What one way of asking came to: where each page is, or an error. */
struct places {
	unsigned long count[MAX_NUMNODES];
};

static void places_add(struct places *places, const struct page *page, unsigned long pages)
{
	places->count[page_to_nid(page)] += pages;
}

static int ask_kmalloc(gfp_t gfp, struct places *ret_places)
{
	static const size_t sizes[] = { 8, 192, 1024, 8192, 65536, 4 << 20 };
	int i, got = 0;
	void *memory;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memory = kmalloc_node(sizes[i], gfp | __GFP_NOWARN, test_nid);
		if (!memory)
			continue;
		places_add(ret_places, virt_to_page(memory), 1);
		kfree(memory);
		got++;
	}
	return got ? 0 : -ENOMEM;
}

static int kmalloc_plain(struct places *ret_places)
{
	return ask_kmalloc(GFP_KERNEL, ret_places);
}

static int kmalloc_thisnode(struct places *ret_places)
{
	return ask_kmalloc(GFP_KERNEL | __GFP_THISNODE, ret_places);
}

static int kmalloc_private(struct places *ret_places)
{
	return ask_kmalloc(GFP_KERNEL | __GFP_PRIVATE, ret_places);
}

static void free_objects(struct kmem_cache *cache, void **objects, int step)
{
	int i;

	for (i = 0; i < NR_OBJECTS; i += step) {
		if (objects[i])
			kmem_cache_free(cache, objects[i]);
		objects[i] = NULL;
	}
}

/*
 * Fills slabs, frees every third object, and so leaves partial slabs to serve
 * the second round.
 */
static int ask_cache(gfp_t gfp, struct places *ret_places)
{
	struct kmem_cache *cache;
	void **objects;
	int round, i, err = -ENOMEM;

	gfp |= __GFP_NOWARN;
	objects = kcalloc(NR_OBJECTS, sizeof(*objects), GFP_KERNEL);
	cache = kmem_cache_create("privmem_test", OBJECT_BYTES, 0, SLAB_NO_MERGE, NULL);
	if (!objects || !cache)
		goto out;
	for (round = 0; round < 2; round++) {
		free_objects(cache, objects, 3);
		for (i = 0; i < NR_OBJECTS; i++) {
			if (!objects[i])
				objects[i] = kmem_cache_alloc_node(cache, gfp, test_nid);
			if (!objects[i])
				continue;
			places_add(ret_places, virt_to_page(objects[i]), 1);
			err = 0;
		}
	}
	free_objects(cache, objects, 1);
out:
	kmem_cache_destroy(cache);
	kfree(objects);
	return err;
}

static int cache_plain(struct places *ret_places)
{
	return ask_cache(GFP_KERNEL, ret_places);
}

static int cache_thisnode(struct places *ret_places)
{
	return ask_cache(GFP_KERNEL | __GFP_THISNODE, ret_places);
}

/* Bulk allocation takes no node: gfp is all it can be misled by. */
static int cache_bulk(struct places *ret_places)
{
	void **objects = kcalloc(NR_OBJECTS, sizeof(*objects), GFP_KERNEL);
	struct kmem_cache *cache;
	int got = 0, i;

	cache = kmem_cache_create("privmem_test", OBJECT_BYTES, 0, SLAB_NO_MERGE, NULL);
	if (objects && cache)
		got = kmem_cache_alloc_bulk(cache, GFP_KERNEL | __GFP_PRIVATE | __GFP_NOWARN,
					    NR_OBJECTS, objects);
	for (i = 0; i < got; i++)
		places_add(ret_places, virt_to_page(objects[i]), 1);
	if (got)
		kmem_cache_free_bulk(cache, got, objects);
	kmem_cache_destroy(cache);
	kfree(objects);
	return got ? 0 : -ENOMEM;
}

static int ask_pages(gfp_t gfp, unsigned int order, struct places *ret_places)
{
	struct page *page = alloc_pages_node(test_nid, gfp | QUIET, order);

	if (!page)
		return -ENOMEM;
	places_add(ret_places, page, 1UL << order);
	__free_pages(page, order);
	return 0;
}

static int pages_plain(struct places *ret_places)
{
	return ask_pages(GFP_HIGHUSER_MOVABLE, 0, ret_places);
}

static int pages_order3(struct places *ret_places)
{
	return ask_pages(GFP_HIGHUSER_MOVABLE, 3, ret_places);
}

static int pages_thisnode(struct places *ret_places)
{
	return ask_pages(GFP_HIGHUSER_MOVABLE | __GFP_THISNODE, 0, ret_places);
}

static int pages_thisnode_order9(struct places *ret_places)
{
	return ask_pages(GFP_HIGHUSER_MOVABLE | __GFP_THISNODE | __GFP_COMP, 9, ret_places);
}

static int pages_thisnode_atomic(struct places *ret_places)
{
	return ask_pages((GFP_HIGHUSER_MOVABLE & ~__GFP_DIRECT_RECLAIM) | __GFP_HIGH |
			 __GFP_THISNODE, 0, ret_places);
}

static int pages_bare_private(struct places *ret_places)
{
	return ask_pages(GFP_HIGHUSER_MOVABLE | __GFP_PRIVATE, 0, ret_places);
}

static int pages_private(struct places *ret_places)
{
	return ask_pages(GFP_HIGHUSER_MOVABLE | GFP_PRIVATE, 0, ret_places);
}

/* By task policy, or from the local node. */
static int ask_address(gfp_t gfp, struct places *ret_places)
{
	unsigned long address = __get_free_pages(gfp | __GFP_NOWARN, 1);

	if (!address)
		return -ENOMEM;
	places_add(ret_places, virt_to_page((void *)address), 2);
	free_pages(address, 1);
	return 0;
}

static int get_free_pages_bare_private(struct places *ret_places)
{
	return ask_address(GFP_KERNEL | __GFP_PRIVATE, ret_places);
}

static int get_free_pages_private(struct places *ret_places)
{
	return ask_address(GFP_KERNEL | GFP_PRIVATE, ret_places);
}

static int ask_bulk(gfp_t gfp, struct places *ret_places)
{
	struct page *pages[NR_PAGES] = { };
	unsigned long got, i;

	got = alloc_pages_bulk_array_node(gfp | QUIET, test_nid, NR_PAGES, pages);
	for (i = 0; i < got; i++) {
		places_add(ret_places, pages[i], 1);
		__free_page(pages[i]);
	}
	return got ? 0 : -ENOMEM;
}

static int bulk_plain(struct places *ret_places)
{
	return ask_bulk(GFP_HIGHUSER_MOVABLE, ret_places);
}

static int bulk_thisnode(struct places *ret_places)
{
	return ask_bulk(GFP_HIGHUSER_MOVABLE | __GFP_THISNODE, ret_places);
}

static int bulk_bare_private(struct places *ret_places)
{
	return ask_bulk(GFP_HIGHUSER_MOVABLE | __GFP_PRIVATE, ret_places);
}

static int bulk_private(struct places *ret_places)
{
	return ask_bulk(GFP_HIGHUSER_MOVABLE | GFP_PRIVATE, ret_places);
}

/* Folios: the one entry that GFP_PRIVATE means something to, and its neighbours. */
static int ask_folio(gfp_t gfp, unsigned int order, struct places *ret_places)
{
	struct folio *folio = __folio_alloc_node(gfp | QUIET, order, test_nid);

	if (!folio)
		return -ENOMEM;
	places_add(ret_places, &folio->page, folio_nr_pages(folio));
	folio_put(folio);
	return 0;
}

static int folio_plain(struct places *ret_places)
{
	return ask_folio(GFP_HIGHUSER_MOVABLE, 0, ret_places);
}

static int folio_thisnode(struct places *ret_places)
{
	return ask_folio(GFP_HIGHUSER_MOVABLE | __GFP_THISNODE, 0, ret_places);
}

static int folio_bare_private(struct places *ret_places)
{
	return ask_folio(GFP_HIGHUSER_MOVABLE | __GFP_PRIVATE, 0, ret_places);
}

static int folio_private(struct places *ret_places)
{
	return ask_folio(GFP_HIGHUSER_MOVABLE | GFP_PRIVATE, 2, ret_places);
}

/* The zone is movable: what cannot be moved has no place there even for the owner. */
static int folio_private_unmovable(struct places *ret_places)
{
	return ask_folio(GFP_KERNEL | GFP_PRIVATE, 0, ret_places);
}

/* Follows the task's policy, not `nid`. */
static int folio_of_task(struct places *ret_places)
{
	struct folio *folio = folio_alloc(GFP_HIGHUSER_MOVABLE | GFP_PRIVATE | __GFP_NOWARN, 0);

	if (!folio)
		return -ENOMEM;
	places_add(ret_places, &folio->page, 1);
	folio_put(folio);
	return 0;
}

static int ask_vmalloc(void *area, struct places *ret_places)
{
	int i;

	if (!area)
		return -ENOMEM;
	for (i = 0; i < NR_PAGES; i++)
		places_add(ret_places, vmalloc_to_page(area + i * PAGE_SIZE), 1);
	vfree(area);
	return 0;
}

static int vmalloc_plain(struct places *ret_places)
{
	return ask_vmalloc(vmalloc_node(NR_PAGES * PAGE_SIZE, test_nid), ret_places);
}

static int vmalloc_private(struct places *ret_places)
{
	return ask_vmalloc(__vmalloc_node(NR_PAGES * PAGE_SIZE, 1,
					  GFP_HIGHUSER_MOVABLE | __GFP_PRIVATE, test_nid,
					  __builtin_return_address(0)), ret_places);
}

static int exact_nid(struct places *ret_places)
{
	size_t bytes = 3 * PAGE_SIZE;
	void *memory = alloc_pages_exact_nid(test_nid, bytes, GFP_KERNEL);

	if (!memory)
		return -ENOMEM;
	places_add(ret_places, virt_to_page(memory), 3);
	free_pages_exact(memory, bytes);
	return 0;
}

static int percpu(struct places *ret_places)
{
	gfp_t gfp = GFP_KERNEL | __GFP_PRIVATE;
	void __percpu *memory = __alloc_percpu_gfp(PAGE_SIZE, PAGE_SIZE, gfp);
	void *own;
	int cpu;

	if (!memory)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		own = per_cpu_ptr(memory, cpu);
		places_add(ret_places, is_vmalloc_addr(own) ? vmalloc_to_page(own) :
			   virt_to_page(own), 1);
	}
	free_percpu(memory);
	return 0;
}

/* A device that is near the node. */
static int dma_coherent(struct places *ret_places)
{
	struct platform_device *pdev;
	size_t bytes = NR_PAGES * PAGE_SIZE;
	dma_addr_t address;
	void *memory;
	int err;

	pdev = platform_device_alloc("privmem_test", PLATFORM_DEVID_NONE);
	if (!pdev)
		return -ENOMEM;
	set_dev_node(&pdev->dev, test_nid);
	err = platform_device_add(pdev);
	if (err) {
		platform_device_put(pdev);
		return err;
	}
	err = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	memory = err ? NULL : dma_alloc_coherent(&pdev->dev, bytes, &address, GFP_KERNEL);
	if (memory) {
		places_add(ret_places, virt_to_page(memory), NR_PAGES);
		dma_free_coherent(&pdev->dev, bytes, memory, address);
	} else if (!err) {
		err = -ENOMEM;
	}
	platform_device_unregister(pdev);
	return err;
}

static int ask_contig(gfp_t gfp, struct places *ret_places)
{
	struct page *page = alloc_contig_pages(NR_PAGES, gfp | __GFP_NOWARN, test_nid, NULL);

	if (!page)
		return -ENOMEM;
	places_add(ret_places, page, NR_PAGES);
	free_contig_range(page_to_pfn(page), NR_PAGES);
	return 0;
}

static int contig_pages(struct places *ret_places)
{
	return ask_contig(GFP_KERNEL | __GFP_MOVABLE, ret_places);
}

static int contig_pages_thisnode(struct places *ret_places)
{
	return ask_contig(GFP_KERNEL | __GFP_MOVABLE | __GFP_THISNODE, ret_places);
}

/* By pfn: an aligned block in the middle of the node. */
static unsigned long middle_pfn(void)
{
	pg_data_t *pgdat = NODE_DATA(test_nid);

	return ALIGN_DOWN(pgdat->node_start_pfn + pgdat->node_spanned_pages / 2,
			  pageblock_nr_pages);
}

static int ask_contig_range(unsigned int migratetype, struct places *ret_places)
{
	unsigned long pfn = middle_pfn();
	int err = alloc_contig_range(pfn, pfn + NR_PAGES, migratetype, GFP_KERNEL);

	if (err)
		return err;
	places_add(ret_places, pfn_to_page(pfn), NR_PAGES);
	free_contig_range(pfn, NR_PAGES);
	return 0;
}

static int contig_range(struct places *ret_places)
{
	return ask_contig_range(MIGRATE_MOVABLE, ret_places);
}

#ifdef CONFIG_CMA
static int contig_range_cma(struct places *ret_places)
{
	return ask_contig_range(MIGRATE_CMA, ret_places);
}
#endif

/*
 * What a driver keeps for others in a file that has no name, as ttm does with
 * buffers it evicts when some task happens to need memory.
 */
static int shmem_of_driver(struct places *ret_places)
{
	struct file *file = shmem_file_setup("privmem_test", NR_PAGES * PAGE_SIZE, VM_NORESERVE);
	struct page *page;
	int i, err = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	for (i = 0; i < NR_PAGES && !err; i++) {
		page = shmem_read_mapping_page(file->f_mapping, i);
		err = PTR_ERR_OR_ZERO(page);
		if (err)
			break;
		places_add(ret_places, page, 1);
		put_page(page);
	}
	fput(file);
	return err;
}

#define WAY(name)	{ #name, name }

static const struct way {
	const char *name;
	int (*ask)(struct places *ret_places);
} ways[] = {
	WAY(kmalloc_plain),
	WAY(kmalloc_thisnode),
	WAY(kmalloc_private),
	WAY(cache_plain),
	WAY(cache_thisnode),
	WAY(cache_bulk),
	WAY(pages_plain),
	WAY(pages_order3),
	WAY(pages_thisnode),
	WAY(pages_thisnode_order9),
	WAY(pages_thisnode_atomic),
	WAY(pages_bare_private),
	WAY(pages_private),
	WAY(get_free_pages_bare_private),
	WAY(get_free_pages_private),
	WAY(bulk_plain),
	WAY(bulk_thisnode),
	WAY(bulk_bare_private),
	WAY(bulk_private),
	WAY(folio_plain),
	WAY(folio_thisnode),
	WAY(folio_bare_private),
	WAY(folio_private),
	WAY(folio_private_unmovable),
	WAY(folio_of_task),
	WAY(vmalloc_plain),
	WAY(vmalloc_private),
	WAY(exact_nid),
	WAY(percpu),
	WAY(dma_coherent),
	WAY(contig_pages),
	WAY(contig_pages_thisnode),
	WAY(contig_range),
#ifdef CONFIG_CMA
	WAY(contig_range_cma),
#endif
	WAY(shmem_of_driver),
};

static int way_show(struct seq_file *file, void *unused)
{
	const struct way *way = file->private;
	struct places *places;
	int err, nid;

	if (test_nid >= MAX_NUMNODES || !node_online(test_nid))
		return -EINVAL;
	places = kzalloc(sizeof(*places), GFP_KERNEL);
	if (!places)
		return -ENOMEM;
	mutex_lock(&test_mutex);
	err = way->ask(places);
	mutex_unlock(&test_mutex);
	if (err)
		seq_printf(file, "error %d\n", err);
	for (nid = 0; !err && nid < MAX_NUMNODES; nid++)
		if (places->count[nid])
			seq_printf(file, "N%d %lu\n", nid, places->count[nid]);
	kfree(places);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(way);

static LIST_HEAD(held_folios);
static unsigned long held_count;

static void held_free(void)
{
	struct folio_batch batch;
	struct folio *folio, *next;

	folio_batch_init(&batch);
	list_for_each_entry_safe(folio, next, &held_folios, lru) {
		list_del(&folio->lru);
		if (!folio_batch_add(&batch, folio))
			folio_batch_release(&batch);
	}
	folio_batch_release(&batch);
	held_count = 0;
}

static int held_set(void *unused, u64 count)
{
	struct folio *folio;

	mutex_lock(&test_mutex);
	held_free();
	while (held_count < count) {
		folio = folio_alloc_node_private(test_nid, GFP_HIGHUSER_MOVABLE, 0);
		if (!folio)
			break;
		list_add(&folio->lru, &held_folios);
		held_count++;
		cond_resched();
	}
	mutex_unlock(&test_mutex);
	return 0;
}

static int held_get(void *unused, u64 *ret_count)
{
	*ret_count = held_count;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(held_fops, held_get, held_set, "%llu\n");

#ifdef CONFIG_DEVICE_MIGRATION
/* Give the page that @move collected another place, in ordinary memory. */
static int device_move_page(struct migrate_vma *move)
{
	struct page *from = migrate_pfn_to_page(*move->src), *to;
	int err = -EBUSY;

	if (from && (*move->src & MIGRATE_PFN_MIGRATE)) {
		to = alloc_page(GFP_HIGHUSER);
		if (to) {
			lock_page(to);
			copy_highpage(to, from);
			*move->dst = migrate_pfn(page_to_pfn(to));
		}
		migrate_vma_pages(move);
		if (*move->src & MIGRATE_PFN_MIGRATE)
			err = 0;
	}
	migrate_vma_finalize(move);
	return err;
}

static int device_move_set(void *unused, u64 address)
{
	unsigned long src = 0, dst = 0;
	struct migrate_vma move = {
		.src = &src,
		.dst = &dst,
		.start = address & PAGE_MASK,
		.end = (address & PAGE_MASK) + PAGE_SIZE,
		.flags = MIGRATE_VMA_SELECT_SYSTEM,
	};
	int err = -EFAULT;

	mmap_read_lock(current->mm);
	move.vma = vma_lookup(current->mm, address);
	if (move.vma)
		err = migrate_vma_setup(&move) ?: device_move_page(&move);
	mmap_read_unlock(current->mm);
	return err;
}
#else
static int device_move_set(void *unused, u64 address)
{
	return -EOPNOTSUPP;
}
#endif
DEFINE_DEBUGFS_ATTRIBUTE(device_move_fops, NULL, device_move_set, "%llu\n");

static int __init privmem_test_init(void)
{
	struct dentry *dir = debugfs_create_dir("privmem_test", NULL);
	int i;

	debugfs_create_u32("nid", 0600, dir, &test_nid);
	debugfs_create_file("held", 0600, dir, NULL, &held_fops);
	debugfs_create_file("device_move", 0200, dir, NULL, &device_move_fops);
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		debugfs_create_file(ways[i].name, 0400, dir, (void *)&ways[i], &way_fops);
	return 0;
}
late_initcall(privmem_test_init);
